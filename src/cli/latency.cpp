#include "cli/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace octavo::cli {
namespace {

std::int64_t now_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

/// The times of runs until `seconds` are over, of at least `least` runs.
std::vector<std::int64_t> timed_runs(Session& session, double seconds, std::size_t least) {
  std::vector<std::int64_t> times;
  std::int64_t last = now_ns();
  const std::int64_t end = last + std::llround(seconds * 1e9);
  while (times.size() < least || last < end) {
    session.run();
    const std::int64_t now = now_ns();
    times.push_back(now - last);
    last = now;
  }
  return times;
}

}  // namespace

double Latency::quantile_ms(double share) const {
  const auto count = static_cast<double>(run_ns.size());
  const auto rank = static_cast<std::size_t>(std::clamp(std::ceil(share * count), 1.0, count));
  return static_cast<double>(run_ns[rank - 1]) * 1e-6;
}

double Latency::runs_per_second() const {
  const std::int64_t total = std::accumulate(run_ns.begin(), run_ns.end(), std::int64_t{0});
  return static_cast<double>(run_ns.size()) * 1e9 / static_cast<double>(std::max<std::int64_t>(total, 1));
}

Latency measure_latency(Session& session, double seconds) {
  timed_runs(session, 0.1 * seconds, 1);
  Latency latency{timed_runs(session, seconds, kLeastRuns)};
  std::sort(latency.run_ns.begin(), latency.run_ns.end());
  return latency;
}

}  // namespace octavo::cli
