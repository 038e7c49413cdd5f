#include "bench/server.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/testing.h"
#include "bench/testing/pretended.h"

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMillisecond = 1'000'000;

TEST(Arrivals, AreARandomStreamOfTheRateAskedFor) {
  const std::vector<std::int64_t> times = arrivals({.queries_per_second = 10'000, .seconds = 10, .seed = 3});
  EXPECT_EQ(times.size(), 100'000U);
  EXPECT_LE(times.back(), 10'000'000'000);
  double square = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double gap = static_cast<double>(times[i] - times[i - 1]) * 1e-9;
    ASSERT_GE(gap, 0);
    square += gap * gap;
  }
  // Exponential gaps: the mean square is twice the squared mean.
  EXPECT_NEAR(square / static_cast<double>(times.size() - 1) / 1e-8, 2.0, 0.1);
}

TEST(Arrivals, DependOnTheSeedAlone) {
  const ServerLoad load{.queries_per_second = 100, .seconds = 1, .seed = 5};
  EXPECT_EQ(arrivals(load), arrivals(load));
  ServerLoad other = load;
  other.seed = 6;
  EXPECT_NE(arrivals(load), arrivals(other));
}

TEST(Arrivals, AreAtLeastOneQuery) {
  EXPECT_EQ(arrivals({.queries_per_second = 0.001, .seconds = 0.1}).size(), 1U);
}

TEST(Arrivals, RefuseRatesThatMakeNoSense) {
  for (double rate : {0.0, -1.0, std::nan(""), 1e12}) {
    EXPECT_THAT(
        testing::error_of(ErrorCode::invalid_argument, [&] { arrivals({.queries_per_second = rate}); }),
        HasSubstr("queries a second"));
  }
}

TEST(Server, KeepsTheBoundAtALowRate) {
  const ServerMeasured result =
      run_server(pretended(1, {.run_us = 200}),
                 {.queries_per_second = 200, .latency_bound_ns = 100 * kMillisecond, .seconds = 0.5}, {});
  EXPECT_TRUE(result.is_met);
  EXPECT_FALSE(result.is_hopeless);
  EXPECT_GT(result.measured.latency.count(), 50);
  EXPECT_EQ(result.measured.latency.count(), result.measured.items);
  EXPECT_GE(result.measured.latency.min_ns(), 200'000);
}

TEST(Server, TakesTheQueriesThatWaitTogether) {
  const Instances instances = pretended(1, {.run_us = 5000});
  const ServerMeasured result = run_server(
      instances,
      {.queries_per_second = 1000, .latency_bound_ns = 1000 * kMillisecond, .max_batch = 16, .seconds = 0.3},
      {});
  EXPECT_TRUE(result.is_met);
  EXPECT_LT(result.measured.runs, result.measured.items / 2);
  for (const auto& call : static_cast<const Pretended&>(*instances[0]).calls()) EXPECT_LE(call.count, 16);
}

TEST(Server, CountsTheWaitBehindAStall) {
  // A run takes 0.1 ms but every hundredth 50 ms. A loop that sends the next query after the last one's
  // answer sees that in 1 % of them; queries that arrive on their own see it whenever they arrive meanwhile:
  // 1000 a second, 50 in each stall.
  const ServerMeasured result = run_server(
      pretended(1, {.run_us = 100, .stall_us = 50'000, .stall_every = 100}),
      {.queries_per_second = 1000, .latency_bound_ns = 1000 * kMillisecond, .max_batch = 4, .seconds = 1},
      {});
  EXPECT_LT(result.measured.latency.quantile_ns(0.5), 20 * kMillisecond);
  EXPECT_GE(result.measured.latency.quantile_ns(0.95), 20 * kMillisecond);
}

TEST(Server, EndsEarlyWhenTooManyAreLateAlready) {
  const ServerMeasured result = run_server(
      pretended(1, {.run_us = 10'000}),
      {.queries_per_second = 1000, .latency_bound_ns = 20 * kMillisecond, .max_batch = 1, .seconds = 100},
      {});
  EXPECT_TRUE(result.is_hopeless);
  EXPECT_FALSE(result.is_met);
  EXPECT_GT(result.late, 0);
}

TEST(Server, StopsWhenAsked) {
  std::atomic<bool> stop{false};
  const ServerMeasured result =
      run_server(pretended(2, {.run_us = 100, .stop_at = 30, .stop = &stop}),
                 {.queries_per_second = 1000, .latency_bound_ns = kMillisecond * 1000, .seconds = 3600},
                 {.stop = &stop});
  EXPECT_TRUE(result.measured.was_stopped);
  EXPECT_FALSE(result.is_met);
}

TEST(Server, PassesOnTheErrorOfAnInstance) {
  const Instances instances = pretended(1, {.run_us = 10, .fail_at = 10});
  EXPECT_EQ(testing::error_of(
                ErrorCode::internal,
                [&] {
                  run_server(instances,
                             {.queries_per_second = 1000, .latency_bound_ns = kMillisecond, .seconds = 3600},
                             {});
                }),
            "pretended failure");
}

TEST(Server, FindsTheHighestRateThatKeepsTheBound) {
  // 2 ms a run of any size up to 4: never more than full batches give. How close the search comes depends on
  // who else uses the machine, so only its logic is tested.
  std::vector<ServerMeasured> trials;
  const ServerMeasured best = find_server_rate(
      pretended(1, {.run_us = 2000}), {.latency_bound_ns = 40 * kMillisecond, .max_batch = 4, .seconds = 0.2},
      {}, [&](const ServerMeasured& trial) { trials.push_back(trial); });
  EXPECT_LT(best.queries_per_second, 2000);
  EXPECT_GE(trials.size(), 3U);
  EXPECT_EQ(best.is_met, std::any_of(trials.begin(), trials.end(), [](const auto& t) { return t.is_met; }));
  for (const ServerMeasured& trial : trials) {
    if (trial.is_met) {
      EXPECT_LE(trial.queries_per_second, best.queries_per_second);
    }
  }
}

TEST(Server, SaysWhenNoRateKeepsTheBound) {
  const ServerMeasured best =
      find_server_rate(pretended(1, {.run_us = 3000}),
                       {.latency_bound_ns = kMillisecond, .max_batch = 2, .seconds = 0.05}, {}, {});
  EXPECT_FALSE(best.is_met);
}

}  // namespace
}  // namespace octavo::bench
