#pragma once
#include <optional>
#include <string>
#include <vector>

#include "bench/placement.h"
#include "bench/server.h"

namespace octavo::bench {

/// The largest rate of arithmetic there is to compare with.
struct Arithmetic {
  std::int64_t macs_per_item = 0;
  double peak_ops_per_second = 0;  ///< of all threads, measured in this process just before and after
};

/// What server scenarios add to a point.
struct ServerOutcome {
  double queries_per_second = 0;
  std::int64_t latency_bound_ns = 0;
  double share = 0;
  std::int64_t late = 0;
  bool is_met = false;
  bool is_hopeless = false;
};

/// One measured setting, as all reports show it.
struct Point {
  std::string mode;
  Split split;
  std::int64_t batch = 1;
  std::vector<Place> places;
  Measured measured;
  double load_ms = 0;  ///< from the open package until all instances can run
  std::int64_t rss_bytes = 0, peak_rss_bytes = 0;
  Arithmetic arithmetic;
  std::optional<ServerOutcome> server;

  [[nodiscard]] double quantile_ms(double share) const {
    return static_cast<double>(measured.latency.quantile_ns(share)) * 1e-6;
  }
  /// Of the arithmetic peak; 0 = unknown.
  [[nodiscard]] double peak_fraction() const;
};

}  // namespace octavo::bench
