#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/session.h"

namespace octavo::cli {

/// How long runs took, one after the other.
struct Latency {
  std::vector<std::int64_t> run_ns;  ///< ascending; never empty

  /// The smallest time that at least `share` (0..1) of the runs did not exceed.
  [[nodiscard]] double quantile_ms(double share) const;
  [[nodiscard]] double median_ms() const { return quantile_ms(0.5); }
  /// Runs a second over the whole of the time measured.
  [[nodiscard]] double runs_per_second() const;
};

/// Runs a session, whose inputs are set, again and again: first to warm up for a tenth of `seconds` (at least
/// once), then for `seconds` and at least kLeastRuns times.
Latency measure_latency(Session& session, double seconds);
inline constexpr std::size_t kLeastRuns = 3;

}  // namespace octavo::cli
