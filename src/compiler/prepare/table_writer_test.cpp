#include "compiler/prepare/table_writer.h"

#include <gtest/gtest.h>

#include <set>

namespace octavo {
namespace {

/// Remembers which rows were read; all elements are their row's number modulo 3.
class WatchedTable : public TableSource {
 public:
  void read(std::int64_t first_row, std::span<float> dst) override {
    firsts.insert(first_row);
    values += std::ssize(dst);
    for (std::size_t i = 0; i < dst.size(); ++i) {
      dst[i] = static_cast<float>((first_row + static_cast<std::int64_t>(i) / 1024) % 3);
    }
  }
  std::set<std::int64_t> firsts;
  std::int64_t values = 0;
};

TEST(FitCoding, LearnsACodebookFromPartsSpreadOverALargeTable) {
  WatchedTable table;
  const RowCoding coding = fit_coding(table, {.rows = 1 << 20, .format = RowFormat::s4_codebook}, 1024);
  EXPECT_LE(table.values, std::int64_t{160} << 20U);
  EXPECT_GE(table.values, std::int64_t{64} << 20U);
  EXPECT_GT(*table.firsts.rbegin(), (1 << 20) - (1 << 15));
  const float largest = coding.scale * static_cast<float>(coding.codebook.back());
  EXPECT_NEAR(largest, 2.0F, 0.01F);
}

TEST(FitCoding, LearnsAScaleFromAllRows) {
  WatchedTable table;
  EXPECT_FLOAT_EQ(fit_coding(table, {.rows = 5000, .format = RowFormat::s8_table}, 1024).scale,
                  2.0F / 127.0F);
  EXPECT_EQ(table.values, 5000 * 1024);
}

TEST(FitCoding, ReadsNothingForRowsWithTheirOwnScale) {
  WatchedTable table;
  fit_coding(table, {.rows = 5000, .format = RowFormat::s4_row}, 1024);
  EXPECT_EQ(table.values, 0);
}

}  // namespace
}  // namespace octavo
