#include "bench/closed_loop.h"

#include <gmock/gmock.h>

#include "base/testing.h"
#include "bench/multi_stream.h"
#include "bench/offline.h"
#include "bench/testing/pretended.h"

namespace octavo::bench {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

constexpr Timing kShort{0.1, 0.01, 5};

TEST(ClosedLoop, MeasuresRunsAndItems) {
  const Instances instances = pretended(1, {.run_us = 1000});
  const Measured measured = run_closed_loop(instances, 4, kShort, {});
  EXPECT_GE(measured.runs, 5);
  EXPECT_EQ(measured.items, 4 * measured.runs);
  EXPECT_EQ(measured.latency.count(), measured.runs);
  EXPECT_GE(measured.latency.min_ns(), 1'000'000);
  EXPECT_EQ(measured.windows.size(), 5U);
  EXPECT_LE(measured.items_per_second(), 4000.0);
  EXPECT_GE(measured.elapsed_ns, 100'000'000);
  EXPECT_FALSE(measured.was_stopped);
}

TEST(ClosedLoop, CountsTheTimeThatPassedAndNotTheTimeAskedFor) {
  // One run takes thirty times what was asked for.
  const Measured measured = run_closed_loop(pretended(1, {.run_us = 30'000}), 1, {0.001, 0, 1}, {});
  EXPECT_EQ(measured.runs, 1);
  EXPECT_LE(measured.items_per_second(), 1 / 0.030);
}

TEST(ClosedLoop, RunsInstancesAtTheSameTimeOnSamplesOfTheirOwn) {
  std::atomic<int> running{0}, most{0};
  const Instances instances =
      pretended(3, {.run_us = 2000, .sleeps = true, .running = &running, .most_running = &most});
  const Measured measured = run_closed_loop(instances, 2, kShort, {});
  EXPECT_EQ(most, 3);
  std::int64_t runs = 0;
  for (const auto& instance : instances) {
    const auto& calls = static_cast<const Pretended&>(*instance).calls();
    runs += static_cast<std::int64_t>(calls.size());
    EXPECT_EQ(calls.back().count, 2);
  }
  EXPECT_EQ(static_cast<const Pretended&>(*instances[1]).calls().front().first, 2);
  EXPECT_GE(runs, measured.runs + 3) << "each warmed up";
}

TEST(ClosedLoop, ShowsARareStallInTheHighPercentilesAndNotInTheMedian) {
  const Measured measured =
      run_closed_loop(pretended(1, {.run_us = 50, .stall_us = 5000, .stall_every = 80}), 1, {0.3, 0, 3}, {});
  ASSERT_GE(measured.runs, 300);
  EXPECT_LT(measured.latency.quantile_ns(0.5), 1'000'000);
  EXPECT_GE(measured.latency.quantile_ns(0.99), 5'000'000);
  EXPECT_GE(measured.latency.quantile_ns(0.999), 5'000'000);
}

TEST(ClosedLoop, StopsWhenAsked) {
  std::atomic<bool> stop{false};
  const Instances instances = pretended(2, {.run_us = 200, .stop_at = 20, .stop = &stop});
  const Measured measured = run_closed_loop(instances, 1, {3600, 0, 5}, {.stop = &stop});
  EXPECT_TRUE(measured.was_stopped);
  EXPECT_GE(measured.runs, 1) << "what was measured so far stays";
  EXPECT_EQ(measured.latency.count(), measured.runs);
}

TEST(ClosedLoop, PassesOnTheErrorOfAnInstanceInTheWarmUpAndLater) {
  for (int fail_at : {0, 1, 10}) {
    const Instances instances = pretended(2, {.run_us = 10, .fail_at = fail_at});
    EXPECT_EQ(testing::error_of(ErrorCode::internal,
                                [&] {
                                  run_closed_loop(instances, 1, {3600, 0, 1}, {});
                                }),
              "pretended failure");
  }
}

TEST(ClosedLoop, TellsOfItsProgress) {
  double last = -1;
  const Watch watch{.stop = nullptr,
                    .progress =
                        [&](double share, double rate) {
                          EXPECT_GE(share, last);
                          EXPECT_GT(rate, 0);
                          last = share;
                        },
                    .raw = nullptr};
  run_closed_loop(pretended(1, {.run_us = 100}), 1, {0.6, 0, 1}, watch);
  EXPECT_THAT(last, AllOf(Ge(0.2), Le(1.0)));
}

TEST(MultiStream, SharesTheSamplesOfAQueryAndWaitsForTheSlowest) {
  const Instances instances = pretended(3, {.run_us = 300});
  const Measured measured = run_multi_stream(instances, 8, kShort, {});
  EXPECT_EQ(measured.items, 8 * measured.runs);
  EXPECT_GE(measured.latency.min_ns(), 300'000);
  EXPECT_EQ(measured.windows.size(), 5U);
  std::vector<std::int64_t> counts;
  for (const auto& instance : instances)
    counts.push_back(static_cast<const Pretended&>(*instance).calls().front().count);
  EXPECT_THAT(counts, ::testing::ElementsAre(2, 3, 3));
}

TEST(MultiStream, LeavesInstancesWithoutASampleAlone) {
  const Instances instances = pretended(2, {.run_us = 100});
  EXPECT_EQ(run_multi_stream(instances, 1, kShort, {}).latency.count() > 0, true);
  EXPECT_TRUE(static_cast<const Pretended&>(*instances[0]).calls().empty());
}

TEST(MultiStream, PassesOnTheErrorOfAnInstance) {
  for (int fail_at : {0, 10}) {
    const Instances instances = pretended(2, {.run_us = 10, .fail_at = fail_at});
    EXPECT_EQ(testing::error_of(ErrorCode::internal,
                                [&] {
                                  run_multi_stream(instances, 2, {3600, 0, 1}, {});
                                }),
              "pretended failure");
  }
}

TEST(MultiStream, StopsWhenAsked) {
  std::atomic<bool> stop{false};
  const Instances instances = pretended(2, {.run_us = 200, .stop_at = 20, .stop = &stop});
  const Measured measured = run_multi_stream(instances, 2, {3600, 0, 1}, {.stop = &stop});
  EXPECT_TRUE(measured.was_stopped);
  EXPECT_GT(measured.items_per_second(), 0) << "of the part of a window that was measured";
}

TEST(Offline, ScoresEverySampleOnceInEveryWindow) {
  const Instances instances = pretended(2, {.run_us = 100});
  const Measured measured = run_offline(instances, 8, 300, {0.05, 0, 3}, {});
  EXPECT_EQ(measured.items, 300);
  EXPECT_EQ(measured.windows.size(), 3U);
  for (const Window& window : measured.windows) EXPECT_EQ(window.items, 100);
}

TEST(Offline, TakesAboutAsManySamplesAsTheTimeAllows) {
  const Measured measured = run_offline(pretended(1, {.run_us = 500}), 4, 0, {0.2, 0, 2}, {});
  EXPECT_GT(measured.items, 100);
  EXPECT_LE(measured.items, 4 * 2 * 201);
}

TEST(Offline, StopsWhenAsked) {
  std::atomic<bool> stop{false};
  const Instances instances = pretended(1, {.run_us = 200, .stop_at = 100, .stop = &stop});
  const Measured measured = run_offline(instances, 1, 1'000'000'000, {0.01, 0, 3}, {.stop = &stop});
  EXPECT_TRUE(measured.was_stopped);
  EXPECT_EQ(measured.windows.size(), 1U);
}

}  // namespace
}  // namespace octavo::bench
