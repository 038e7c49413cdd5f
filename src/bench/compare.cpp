#include "bench/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/closed_loop.h"

namespace octavo::bench {
namespace {

// Longer than the threads of any runtime spin after their last work.
constexpr std::chrono::milliseconds kPause{20};

/// Of one side, over all rounds.
struct Sums {
  Histogram latency;
  std::int64_t cpu_ns = 0, items = 0;

  void add(const Measured& measured) {
    latency.add(measured.latency);
    cpu_ns += measured.cpu_ns;
    items += measured.items;
  }
  [[nodiscard]] double p50_ms() const { return static_cast<double>(latency.quantile_ns(0.5)) * 1e-6; }
  [[nodiscard]] double cpu_us() const {
    return items == 0 ? 0 : static_cast<double>(cpu_ns) * 1e-3 / static_cast<double>(items);
  }
};

}  // namespace

Comparison compare(const Instances& ours, const Instances& theirs, std::int64_t batch, int rounds,
                   double seconds_each, const Watch& watch) {
  Comparison result;
  result.threads = ours.front()->place().threads;
  result.batch = batch;
  Sums our_sums, their_sums;
  const Timing timing{seconds_each, seconds_each / 10, 1};
  for (int round = 0; round < rounds && !watch.is_stopped(); ++round) {
    double our_rate = 0, their_rate = 0;
    for (int turn = 0; turn < 2; ++turn) {
      const bool is_ours = (turn == 0) == (round % 2 == 0);
      std::this_thread::sleep_for(kPause);
      const Measured measured =
          run_closed_loop(is_ours ? ours : theirs, batch, timing, {watch.stop, {}, nullptr});
      (is_ours ? our_rate : their_rate) = measured.items_per_second();
      (is_ours ? our_sums : their_sums).add(measured);
      if (watch.progress) watch.progress((round + 0.5 * (turn + 1)) / rounds, 0);
    }
    if (watch.is_stopped() || our_rate <= 0 || their_rate <= 0) break;  // a half round compares nothing
    result.ours.push_back(our_rate);
    result.theirs.push_back(their_rate);
  }
  result.ours_p50_ms = our_sums.p50_ms();
  result.theirs_p50_ms = their_sums.p50_ms();
  result.ours_cpu_us = our_sums.cpu_us();
  result.theirs_cpu_us = their_sums.cpu_us();
  result.was_stopped = watch.is_stopped();
  return result;
}

void compare_outputs(Comparison& comparison, const std::vector<float>& ours,
                     const std::vector<float>& theirs) {
  comparison.largest_difference = std::numeric_limits<double>::quiet_NaN();
  if (ours.empty() || ours.size() != theirs.size()) return;
  comparison.largest_difference = comparison.largest_output = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    comparison.largest_difference =
        std::max(comparison.largest_difference, std::abs(double{ours[i]} - double{theirs[i]}));
    comparison.largest_output = std::max(comparison.largest_output, std::abs(double{ours[i]}));
  }
}

std::string comparison_head() {
  return fmt::format("{:24}{:>5}{:>6}{:>13}{:>13}{:>10}{:>10}  {:24}{}\n", "peer", "thr", "batch", "ours /s",
                     "theirs /s", "p50 ms", "their p50", "ratio (least - most)", "outputs differ by");
}

std::string comparison_line(const Comparison& c) {
  const std::string difference =
      std::isnan(c.largest_difference)
          ? "not comparable"
          : fmt::format("{:.3g} of {:.3g}", c.largest_difference, c.largest_output);
  return fmt::format("{:24}{:5}{:6}{:13.1f}{:13.1f}{:10.3f}{:10.3f}  {:24}{}\n", c.peer.substr(0, 23),
                     c.threads, c.batch, median(c.ours), median(c.theirs), c.ours_p50_ms, c.theirs_p50_ms,
                     text_of(c.ratio()), difference);
}

nlohmann::ordered_json json_of(const Comparison& c) {
  nlohmann::ordered_json json{{"peer", c.peer},
                              {"threads", c.threads},
                              {"batch", c.batch},
                              {"ours_items_per_second", c.ours},
                              {"theirs_items_per_second", c.theirs},
                              {"ours_p50_ms", c.ours_p50_ms},
                              {"theirs_p50_ms", c.theirs_p50_ms},
                              {"ours_cpu_us_per_item", c.ours_cpu_us},
                              {"theirs_cpu_us_per_item", c.theirs_cpu_us},
                              {"ratio", json_of(c.ratio())},
                              {"complete", !c.was_stopped}};
  if (!std::isnan(c.largest_difference)) {
    json["largest_difference"] = c.largest_difference;
    json["largest_output"] = c.largest_output;
  }
  return json;
}

}  // namespace octavo::bench
