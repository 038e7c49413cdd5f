#include "cli/latency.h"

#include <gtest/gtest.h>

namespace octavo::cli {
namespace {

Latency of_milliseconds(int count) {
  Latency latency;
  for (std::int64_t ms = 1; ms <= count; ++ms) latency.run_ns.push_back(ms * 1'000'000);
  return latency;
}

TEST(Latency, QuantilesAreRunsThatHappened) {
  const Latency latency = of_milliseconds(200);
  EXPECT_DOUBLE_EQ(latency.quantile_ms(0.0), 1.0);
  EXPECT_DOUBLE_EQ(latency.median_ms(), 100.0);
  EXPECT_DOUBLE_EQ(latency.quantile_ms(0.9), 180.0);
  EXPECT_DOUBLE_EQ(latency.quantile_ms(1.0), 200.0);
}

TEST(Latency, OfFewRunsTheP99IsTheSlowest) {
  EXPECT_DOUBLE_EQ(of_milliseconds(3).median_ms(), 2.0);
  EXPECT_DOUBLE_EQ(of_milliseconds(3).quantile_ms(0.99), 3.0);
}

TEST(Latency, RunsASecondCountAllTheTime) {
  EXPECT_NEAR(of_milliseconds(3).runs_per_second(), 3.0 / 0.006, 1e-6);
}

}  // namespace
}  // namespace octavo::cli
