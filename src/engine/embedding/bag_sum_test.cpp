#include "engine/embedding/bag_sum.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/cpu.h"

namespace octavo {
namespace {

constexpr RowFormat kAllFormats[] = {RowFormat::f32,    RowFormat::f16,    RowFormat::s8_table,
                                     RowFormat::s8_row, RowFormat::s4_row, RowFormat::s4_codebook};
constexpr std::int64_t kRows = 50;

/// A table of random rows, its bytes ending where its allocation ends, so that a sanitizer sees reads beyond.
struct RandomTable {
  std::vector<float> values;
  std::vector<std::byte> bytes;
  TableView view;

  RandomTable(RowFormat format, std::int64_t dim) {
    std::mt19937 random(static_cast<unsigned>(dim));
    std::normal_distribution<float> distribution(0.0F, 0.3F);
    for (std::int64_t i = 0; i < kRows * dim; ++i) values.push_back(distribution(random));
    RowCodingFit fit(format, dim);
    fit.add(values);
    bytes.resize(static_cast<std::size_t>(kRows * row_bytes(format, dim)));
    encode_rows(fit.coding(), values, bytes);
    view = {fit.coding(), kRows, bytes.data()};
  }
};

TEST(BagSum, AddsRowsInTheOrderGiven) {
  RandomTable table(RowFormat::f32, 3);
  const std::vector<std::int64_t> rows{7, 7, 49};
  std::vector<float> sum(3);
  bag_sum_reference(bag_table(table.view), rows.data(), 3, sum.data());
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(sum[i], table.values[21 + i] + table.values[21 + i] + table.values[147 + i]);
}

TEST(BagSum, GivesZerosForAnEmptyBag) {
  for (const BagSumRow& row : bag_sum_rows()) {
    if (!implies(usable_isa(), row.needs)) continue;
    RandomTable table(RowFormat::s4_row, 5);
    std::vector<float> sum(5, 9.0F);
    row.sum(bag_table(table.view), nullptr, 0, sum.data());
    EXPECT_EQ(sum, std::vector<float>(5, 0.0F)) << row.name;
  }
}

TEST(BagSum, IsTheSameBitForBitOnEveryIsa) {
  std::mt19937 random(5);
  for (const BagSumRow& row : bag_sum_rows()) {
    if (!implies(usable_isa(), row.needs)) {
      std::fprintf(stderr, "NOT TESTED: bag_sum:%s needs %s\n", row.name.data(), isa_name(row.needs).data());
      continue;
    }
    for (RowFormat format : kAllFormats) {
      for (std::int64_t dim : {1, 2, 7, 16, 17, 31, 32, 33, 48, 64, 100, 128}) {
        const RandomTable table(format, dim);
        for (std::int64_t count : {1, 2, 5, 40}) {
          std::vector<std::int64_t> bag;
          for (std::int64_t i = 0; i < count; ++i) bag.push_back(static_cast<std::int64_t>(random() % kRows));
          bag[0] = kRows - 1;
          std::vector<float> expected(static_cast<std::size_t>(dim)), sum(expected.size());
          bag_sum_reference(bag_table(table.view), bag.data(), count, expected.data());
          row.sum(bag_table(table.view), bag.data(), count, sum.data());
          ASSERT_EQ(std::memcmp(sum.data(), expected.data(), sum.size() * 4), 0)
              << row.name << ' ' << row_format_name(format) << " dim " << dim << " count " << count;
        }
      }
    }
  }
}

}  // namespace
}  // namespace octavo
