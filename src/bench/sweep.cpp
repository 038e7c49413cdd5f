#include "bench/sweep.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "base/clock.h"
#include "base/fail.h"
#include "bench/closed_loop.h"
#include "bench/facts.h"
#include "bench/multi_stream.h"
#include "bench/offline.h"
#include "bench/peaks.h"

namespace octavo::bench {
namespace {

constexpr std::array<std::string_view, 8> kModes{"fixed",         "latency",      "throughput", "scalability",
                                                 "single-stream", "multi-stream", "offline",    "server"};

std::vector<int> one_to(int most) {
  std::vector<int> numbers(static_cast<std::size_t>(most));
  std::iota(numbers.begin(), numbers.end(), 1);
  return numbers;
}

std::vector<int> or_else(const std::vector<int>& given, const std::vector<int>& otherwise) {
  return given.empty() ? otherwise : given;
}

void expect_only_one(const Sweep& sweep, const std::vector<int>& numbers, const char* what) {
  if (numbers.empty() || numbers == std::vector<int>{1}) return;
  fail(ErrorCode::invalid_argument, "mode {} has 1 {}, not {}", mode_name(sweep.mode), what,
       fmt::join(numbers, ","));
}

bool is_scenario(Mode mode) { return mode >= Mode::single_stream; }

std::vector<Split> products(const std::vector<int>& instances, const std::vector<int>& threads) {
  std::vector<Split> splits;
  for (int i : instances) {
    for (int t : threads) splits.push_back({i, t});
  }
  return splits;
}

void check_batches(const Sweep& sweep, const Subject& subject) {
  if (subject.takes_batches) return;
  std::int64_t most = *std::max_element(sweep.batches.begin(), sweep.batches.end());
  if (sweep.mode == Mode::multi_stream) most = sweep.query_samples;
  if (sweep.mode == Mode::server) most = sweep.load.max_batch;
  if (most > 1) {
    fail(ErrorCode::invalid_argument,
         "mode {} with {} samples at once does not fit a model that takes no batches", mode_name(sweep.mode),
         most);
  }
}

/// The batch sizes that a mode goes through.
std::vector<std::int64_t> batches_of(const Sweep& sweep) {
  switch (sweep.mode) {
    case Mode::single_stream:
      return {1};
    case Mode::multi_stream:
      return {sweep.query_samples};
    case Mode::server:
      return {sweep.load.max_batch};
    default:
      return sweep.batches;
  }
}

ServerOutcome outcome_of(const ServerMeasured& m, const ServerLoad& load) {
  return {m.queries_per_second, load.latency_bound_ns, load.share, m.late, m.is_met, m.is_hopeless};
}

void measure(const Sweep& sweep, const Instances& instances, const Watch& watch, const Audience& audience,
             Point& point) {
  switch (sweep.mode) {
    case Mode::multi_stream:
      point.measured = run_multi_stream(instances, point.batch, sweep.timing, watch);
      return;
    case Mode::offline:
      point.measured = run_offline(instances, point.batch, sweep.offline_samples, sweep.timing, watch);
      return;
    case Mode::server: {
      ServerMeasured server = sweep.load.queries_per_second > 0
                                  ? run_server(instances, sweep.load, watch)
                                  : find_server_rate(instances, sweep.load, watch, audience.trial);
      point.server = outcome_of(server, sweep.load);
      point.measured = std::move(server.measured);
      return;
    }
    default:
      point.measured = run_closed_loop(instances, point.batch, sweep.timing, watch);
  }
}

Point measure_point(const Sweep& sweep, const Subject& subject, const std::vector<Place>& places,
                    std::int64_t batch, const Watch& watch, const Audience& audience) {
  Point point;
  point.mode = mode_name(sweep.mode);
  point.split = {static_cast<int>(places.size()), places.front().threads};
  point.batch = batch;
  point.places = places;
  const std::int64_t begin = now_ns();
  Instances instances;
  for (const Place& place : places) instances.push_back(subject.start(place));
  point.load_ms = static_cast<double>(now_ns() - begin) * 1e-6;
  const double peak = int8_peak(places, usable_isa());
  measure(sweep, instances, watch, audience, point);
  point.arithmetic = {subject.macs_per_item, std::max(peak, int8_peak(places, usable_isa()))};
  const MemoryUse memory = memory_use();
  point.rss_bytes = memory.now;
  point.peak_rss_bytes = memory.peak;
  return point;
}

}  // namespace

std::string_view mode_name(Mode mode) noexcept { return kModes[static_cast<std::size_t>(mode)]; }

Mode read_mode(std::string_view name) {
  const auto found = std::find(kModes.begin(), kModes.end(), name);
  if (found == kModes.end()) {
    fail(ErrorCode::invalid_argument, "there is no mode '{}': expected {}", name, fmt::join(kModes, ", "));
  }
  return static_cast<Mode>(found - kModes.begin());
}

std::vector<Split> splits_of(const Sweep& sweep, const SystemFacts& system) {
  if (sweep.hint && !(sweep.instances.empty() && sweep.threads.empty())) {
    fail(ErrorCode::invalid_argument, "a hint picks the instances and threads: give either");
  }
  if (sweep.hint && sweep.mode != Mode::fixed && !is_scenario(sweep.mode)) {
    fail(ErrorCode::invalid_argument, "mode {} goes through instances and threads itself: no hint",
         mode_name(sweep.mode));
  }
  const int most = most_threads(system, sweep.cpus);
  if (sweep.hint == Hint::throughput && sweep.tuned &&
      sweep.tuned->instances * sweep.tuned->threads == most) {
    return {*sweep.tuned};
  }
  if (sweep.hint) return {split_for(system, *sweep.hint, sweep.cpus)};
  switch (sweep.mode) {
    case Mode::latency:
      expect_only_one(sweep, sweep.instances, "instance");
      return products({1}, or_else(sweep.threads, one_to(most)));
    case Mode::scalability:
      expect_only_one(sweep, sweep.threads, "thread");
      return products(or_else(sweep.instances, one_to(most)), {1});
    case Mode::throughput: {
      if (!sweep.instances.empty()) return products(sweep.instances, or_else(sweep.threads, {1}));
      std::vector<Split> splits;
      for (int threads : or_else(sweep.threads, one_to(most)))
        splits.push_back({std::max(most / threads, 1), threads});
      return splits;
    }
    case Mode::single_stream:
      expect_only_one(sweep, sweep.instances, "instance");
      return products({1}, or_else(sweep.threads, {split_for(system, Hint::latency, sweep.cpus).threads}));
    case Mode::multi_stream:
    case Mode::offline:
    case Mode::server:
      if (sweep.instances.empty() && sweep.threads.empty())
        return {split_for(system, Hint::throughput, sweep.cpus)};
      [[fallthrough]];
    case Mode::fixed:
      break;
  }
  return products(or_else(sweep.instances, {1}), or_else(sweep.threads, {1}));
}

std::size_t settings_of(const Sweep& sweep, const SystemFacts& system) {
  return splits_of(sweep, system).size() * batches_of(sweep).size();
}

void run_sweep(const Sweep& sweep, const Subject& subject, const SystemFacts& system, const Watch& watch,
               const Audience& audience) {
  check_batches(sweep, subject);
  std::vector<std::vector<Place>> settings;
  for (Split split : splits_of(sweep, system))
    settings.push_back(place(system, split, sweep.cpus, sweep.sharing));
  for (int turn = 0; turn < sweep.turns; ++turn) {
    for (const std::vector<Place>& places : settings) {
      for (std::int64_t batch : batches_of(sweep)) {
        if (watch.is_stopped()) return;
        audience.point(measure_point(sweep, subject, places, batch, watch, audience));
      }
    }
  }
}

}  // namespace octavo::bench
