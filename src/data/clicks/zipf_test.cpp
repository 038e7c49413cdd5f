#include "data/clicks/zipf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace octavo {
namespace {

class ZipfDistribution : public ::testing::TestWithParam<double> {};

TEST_P(ZipfDistribution, HasTheFrequenciesOfItsFormula) {
  constexpr std::int64_t kRanks = 20;
  constexpr int kDraws = 200000;
  const double exponent = GetParam();
  const Zipf zipf(kRanks, exponent);
  Random random(7);
  std::vector<double> counts(kRanks);
  for (int i = 0; i < kDraws; ++i) ++counts.at(static_cast<std::size_t>(zipf.draw(random) - 1));
  double sum = 0.0;
  for (std::int64_t k = 1; k <= kRanks; ++k) sum += std::pow(static_cast<double>(k), -exponent);
  for (std::int64_t k = 1; k <= kRanks; ++k) {
    const double expected = kDraws * std::pow(static_cast<double>(k), -exponent) / sum;
    EXPECT_NEAR(counts[static_cast<std::size_t>(k - 1)], expected, 5 * std::sqrt(expected)) << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Exponents, ZipfDistribution, ::testing::Values(0.0, 0.5, 1.0, 1.05, 2.0));

TEST(Zipf, StaysInItsRange) {
  for (const double exponent : {0.0, 1.05, 10.0}) {
    for (const std::int64_t count : {std::int64_t{1}, std::int64_t{2}, std::int64_t{40000000}}) {
      const Zipf zipf(count, exponent);
      Random random(1);
      for (int i = 0; i < 1000; ++i) {
        const std::int64_t rank = zipf.draw(random);
        ASSERT_GE(rank, 1);
        ASSERT_LE(rank, count);
      }
    }
  }
}

}  // namespace
}  // namespace octavo
