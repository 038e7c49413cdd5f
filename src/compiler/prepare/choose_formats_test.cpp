#include "compiler/prepare/choose_formats.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::testing::HasSubstr;

/// Rows of normal numbers times a factor of their own, 2^-spread .. 2^spread.
class NormalTable : public TableSource {
 public:
  NormalTable(std::int64_t dim, double spread) : dim_(dim), spread_(spread) {}
  void read(std::int64_t first_row, std::span<float> dst) override {
    for (std::size_t i = 0; i < dst.size(); ++i) {
      const auto row = static_cast<std::uint64_t>(first_row) + i / static_cast<std::size_t>(dim_);
      const double factor = std::exp2(spread_ * (2 * Random(row).uniform() - 1));
      dst[i] = static_cast<float>(factor * Random(mixed(row) + i % static_cast<std::size_t>(dim_)).normal());
    }
  }

 private:
  std::int64_t dim_;
  double spread_;
};

DlrmSource two_tables(double spread) {
  DlrmSource source;
  source.model.dim = 32;
  source.model.tables = {{.rows = 100000}, {.rows = 3}};
  for (int t = 0; t < 2; ++t) source.tables.push_back(std::make_unique<NormalTable>(32, spread));
  return source;
}

RowFormat chosen(double spread, double budget) {
  DlrmSource source = two_tables(spread);
  return choose_formats(source, budget)[0].format;
}

TEST(ChooseFormats, TakesSmallerRowsForALargerBudget) {
  EXPECT_EQ(chosen(0, 0.2), RowFormat::s4_codebook);
  EXPECT_EQ(chosen(0, 0.02), RowFormat::s8_table);
  EXPECT_EQ(chosen(0, 0.001), RowFormat::f16);
  EXPECT_EQ(chosen(0, 0), RowFormat::f32);
}

TEST(ChooseFormats, TakesAScaleForEachRowWhereRowsDiffer) { EXPECT_EQ(chosen(6, 0.01), RowFormat::s8_row); }

TEST(ChooseFormats, StaysWithinTheBudget) {
  for (const double budget : {0.5, 0.1, 0.05, 0.01, 0.0001}) {
    DlrmSource source = two_tables(2);
    for (const FormatChoice& choice : choose_formats(source, budget)) EXPECT_LE(choice.error, budget);
  }
}

TEST(ChooseFormats, PassesOverAFormatThatCannotHoldTheValues) {
  const std::vector<float> rows{1e6F, -1e6F, 1.0F, 2.0F};
  EXPECT_EQ(format_error(RowFormat::f16, 4, rows), std::numeric_limits<double>::infinity());
  EXPECT_EQ(format_error(RowFormat::f32, 4, rows), 0.0);
  EXPECT_EQ(format_error(RowFormat::s8_row, 4, std::vector<float>(4)), 0.0);
}

TEST(ChooseFormats, RefusesABudgetThatIsNone) {
  DlrmSource source = two_tables(0);
  for (const double budget : {-0.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { choose_formats(source, budget); }),
                HasSubstr("budget"));
  }
}

}  // namespace
}  // namespace octavo
