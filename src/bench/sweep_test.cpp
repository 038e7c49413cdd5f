#include "bench/sweep.h"

#include <gmock/gmock.h>

#include "base/testing.h"
#include "bench/testing/pretended.h"

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;

SystemFacts four_cores() {
  SystemFacts system;
  system.cpus = {0, 1, 2, 3};
  system.physical_cores = 4;
  return system;
}

std::string splits_text(const Sweep& sweep) {
  std::string text;
  for (Split split : splits_of(sweep, four_cores())) {
    text += std::to_string(split.instances) + "x" + std::to_string(split.threads) + " ";
  }
  return text;
}

std::string refusal(const Sweep& sweep) {
  return testing::error_of(ErrorCode::invalid_argument, [&] { splits_of(sweep, four_cores()); });
}

TEST(Sweep, GoesThroughWhatItsModeSays) {
  EXPECT_EQ(splits_text({.mode = Mode::fixed}), "1x1 ");
  EXPECT_EQ(splits_text({.mode = Mode::fixed, .instances = {1, 2}, .threads = {1, 2}}), "1x1 1x2 2x1 2x2 ");
  EXPECT_EQ(splits_text({.mode = Mode::fixed, .hint = Hint::throughput}), "4x1 ");
  EXPECT_EQ(splits_text({.mode = Mode::fixed, .hint = Hint::throughput, .tuned = Split{2, 2}}), "2x2 ");
  EXPECT_EQ(splits_text({.mode = Mode::fixed, .hint = Hint::throughput, .tuned = Split{2, 1}}), "4x1 ")
      << "tuned for fewer CPUs";
  EXPECT_EQ(splits_text({.mode = Mode::fixed, .hint = Hint::latency, .tuned = Split{2, 2}}),
            splits_text({.mode = Mode::fixed, .hint = Hint::latency}));
  EXPECT_EQ(splits_text({.mode = Mode::latency}), "1x1 1x2 1x3 1x4 ");
  EXPECT_EQ(splits_text({.mode = Mode::throughput}), "4x1 2x2 1x3 1x4 ");
  EXPECT_EQ(splits_text({.mode = Mode::scalability}), "1x1 2x1 3x1 4x1 ");
  EXPECT_EQ(splits_text({.mode = Mode::scalability, .instances = {1, 4}}), "1x1 4x1 ");
  EXPECT_EQ(splits_text({.mode = Mode::single_stream}), "1x4 ");
  EXPECT_EQ(splits_text({.mode = Mode::offline}), "4x1 ");
  EXPECT_EQ(splits_text({.mode = Mode::server, .instances = {2}, .threads = {2}}), "2x2 ");
}

TEST(Sweep, RefusesOptionsThatContradictTheMode) {
  EXPECT_THAT(refusal({.mode = Mode::latency, .instances = {2}}),
              HasSubstr("mode latency has 1 instance, not 2"));
  EXPECT_THAT(refusal({.mode = Mode::scalability, .threads = {2}}),
              HasSubstr("mode scalability has 1 thread"));
  EXPECT_THAT(refusal({.mode = Mode::single_stream, .instances = {2}}), HasSubstr("has 1 instance"));
  EXPECT_THAT(refusal({.mode = Mode::latency, .hint = Hint::latency}), HasSubstr("no hint"));
  EXPECT_THAT(refusal({.threads = {2}, .hint = Hint::latency}), HasSubstr("give either"));
}

TEST(Sweep, KnowsItsModesByName) {
  for (Mode mode : {Mode::fixed, Mode::latency, Mode::throughput, Mode::scalability, Mode::single_stream,
                    Mode::multi_stream, Mode::offline, Mode::server}) {
    EXPECT_EQ(read_mode(mode_name(mode)), mode);
  }
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument, [] { read_mode("fast"); }), HasSubstr("'fast'"));
}

/// Points of a sweep over pretended instances on this machine's CPUs.
std::vector<Point> points_of(Sweep sweep, const Behaviour& behaviour, bool takes_batches = true,
                             const std::atomic<bool>* stop = nullptr) {
  sweep.timing = {0.03, 0, 2};
  std::vector<Point> points;
  const Subject subject{[&](const Place& place) { return std::make_unique<Pretended>(behaviour, place); },
                        1000, takes_batches};
  run_sweep(sweep, subject, cpu_facts().system, {.stop = stop},
            {[&](const Point& point) { points.push_back(point); }});
  return points;
}

TEST(Sweep, MeasuresEveryScenario) {
  for (Mode mode : {Mode::fixed, Mode::single_stream, Mode::multi_stream, Mode::offline, Mode::server}) {
    Sweep sweep{.mode = mode, .threads = {1}};
    sweep.load = {.queries_per_second = 200, .latency_bound_ns = 1'000'000'000, .seconds = 0.1};
    const std::vector<Point> points = points_of(sweep, {.run_us = 300});
    ASSERT_EQ(points.size(), 1U);
    EXPECT_EQ(points[0].mode, mode_name(mode));
    EXPECT_GT(points[0].measured.items_per_second(), 0);
    EXPECT_GE(points[0].quantile_ms(0.5), 0.3);
    EXPECT_EQ(points[0].server.has_value(), mode == Mode::server);
    EXPECT_GT(points[0].rss_bytes, 0);
    EXPECT_GE(points[0].peak_rss_bytes, points[0].rss_bytes);
    EXPECT_EQ(points[0].places[0].cpus.size(), 1U);
  }
}

TEST(Sweep, GoesThroughAllSettingsInEveryTurn) {
  Sweep sweep{.threads = {1}, .batches = {1, 2}};
  sweep.turns = 2;
  std::vector<std::int64_t> batches;
  for (const Point& point : points_of(sweep, {.run_us = 100})) batches.push_back(point.batch);
  EXPECT_THAT(batches, ::testing::ElementsAre(1, 2, 1, 2));
  EXPECT_EQ(settings_of(sweep, four_cores()), 2U);
}

TEST(Sweep, SearchesForAServersRateWhenNoneIsGiven) {
  Sweep sweep{.mode = Mode::server, .threads = {1}};
  sweep.load = {.latency_bound_ns = 1'000'000'000, .seconds = 0.05};
  const std::vector<Point> points = points_of(sweep, {.run_us = 300});
  ASSERT_EQ(points.size(), 1U);
  EXPECT_TRUE(points[0].server->is_met);
  EXPECT_GT(points[0].server->queries_per_second, 0);
}

TEST(Sweep, RefusesBatchesForAModelThatTakesNone) {
  const auto refused = [&](Sweep sweep) {
    return testing::error_of(ErrorCode::invalid_argument, [&] { points_of(sweep, {}, false); });
  };
  EXPECT_THAT(refused({.batches = {1, 8}}),
              HasSubstr("8 samples at once does not fit a model that takes no batches"));
  EXPECT_THAT(refused({.mode = Mode::multi_stream}), HasSubstr("mode multi-stream with 8"));
  EXPECT_THAT(refused({.mode = Mode::server}), HasSubstr("mode server with 8"));
  EXPECT_EQ(points_of({.threads = {1}}, {}, false).size(), 1U);
}

TEST(Sweep, ChecksEverySettingBeforeItMeasuresTheFirst) {
  int started = 0;
  const Subject subject{
      [&](const Place& place) { return ++started, std::make_unique<Pretended>(Behaviour{}, place); }};
  EXPECT_THROW(run_sweep({.threads = {1, 4000}}, subject, cpu_facts().system, {}, {}), Error);
  EXPECT_EQ(started, 0);
}

TEST(Sweep, EndsAfterThePointThatWasInterrupted) {
  std::atomic<bool> stop{false};
  const std::vector<Point> points = points_of({.threads = {1}, .batches = {1, 2, 3}},
                                              {.run_us = 100, .stop_at = 30, .stop = &stop}, true, &stop);
  ASSERT_EQ(points.size(), 1U);
  EXPECT_TRUE(points[0].measured.was_stopped);
}

}  // namespace
}  // namespace octavo::bench
