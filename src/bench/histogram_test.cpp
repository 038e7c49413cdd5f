#include "bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace octavo::bench {
namespace {

/// The nearest-rank quantile, from the sorted durations themselves.
std::int64_t exact_quantile(const std::vector<std::int64_t>& sorted, double share) {
  const auto count = static_cast<double>(sorted.size());
  return sorted[static_cast<std::size_t>(std::clamp(std::ceil(share * count), 1.0, count)) - 1];
}

TEST(Histogram, WithoutDurationsGivesZeros) {
  const Histogram none;
  EXPECT_EQ(none.count(), 0);
  EXPECT_EQ(none.quantile_ns(0.5), 0);
  EXPECT_EQ(none.mean_ns(), 0);
  EXPECT_EQ(none.min_ns(), 0);
  EXPECT_EQ(none.count_above(-1), 0);
}

TEST(Histogram, IsExactToTheNanosecondForShortDurations) {
  Histogram h;
  for (std::int64_t ns = 8191; ns >= 0; --ns) h.add(ns);
  for (std::int64_t ns = 1; ns < 8192; ns += 37) {
    EXPECT_EQ(h.quantile_ns(static_cast<double>(ns) / 8192.0), ns - 1);
    EXPECT_EQ(h.count_above(ns), 8191 - ns);
  }
}

TEST(Histogram, AgreesWithSortedDurationsOfAnyLength) {
  std::mt19937_64 random(7);
  std::vector<std::int64_t> all;
  Histogram h;
  for (int i = 0; i < 20000; ++i) {
    const auto ns = static_cast<std::int64_t>(random() >> (1 + random() % 62));
    all.push_back(ns);
    h.add(ns);
  }
  std::sort(all.begin(), all.end());
  for (double share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const std::int64_t exact = exact_quantile(all, share);
    const std::int64_t found = h.quantile_ns(share);
    EXPECT_GE(found, exact) << share;
    EXPECT_LE(found - exact, exact / 4096) << share;
  }
  EXPECT_EQ(h.max_ns(), all.back());
  EXPECT_EQ(h.min_ns(), all.front());
}

TEST(Histogram, AddsUpFromParts) {
  Histogram left, right, whole;
  for (std::int64_t ns = 1; ns < 5'000'000; ns += 1237) {
    (ns % 2 == 0 ? left : right).add(ns);
    whole.add(ns);
  }
  Histogram sum;
  sum.add(left);
  sum.add(right);
  sum.add(Histogram());
  EXPECT_EQ(sum.count(), whole.count());
  EXPECT_EQ(sum.min_ns(), whole.min_ns());
  EXPECT_EQ(sum.max_ns(), whole.max_ns());
  EXPECT_DOUBLE_EQ(sum.mean_ns(), whole.mean_ns());
  for (double share : {0.1, 0.5, 0.99}) EXPECT_EQ(sum.quantile_ns(share), whole.quantile_ns(share));
}

TEST(Histogram, TakesTheLongestAndNegativeDurations) {
  Histogram h;
  h.add(std::numeric_limits<std::int64_t>::max());
  h.add(-5);
  EXPECT_EQ(h.min_ns(), 0);
  EXPECT_EQ(h.quantile_ns(1.0), std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace octavo::bench
