#pragma once
#include <optional>

#include "bench/instance.h"
#include "bench/measured.h"

namespace octavo::bench {

/// MLPerf's server scenario: queries of one sample arrive at random (Poisson) whether or not the instances
/// keep up. An instance that is free takes all that wait, up to `max_batch` of them. A query's latency counts
/// from the arrival that was planned, so that queries which wait behind a slow run all show it.
struct ServerLoad {
  double queries_per_second = 0;
  std::int64_t latency_bound_ns = 0;
  double share = 0.99;  ///< of the queries that must keep the bound
  std::int64_t max_batch = 8;
  double seconds = 10;
  std::uint64_t seed = 1;
};

struct ServerMeasured {
  double queries_per_second = 0;  ///< planned
  Measured measured = {};
  std::int64_t late = 0;     ///< queries over the bound
  bool is_met = false;       ///< enough queries kept it
  bool is_hopeless = false;  ///< ended early: too many were late already
};

/// When queries arrive, in nanoseconds from the start: exponential gaps with a mean of 1 /
/// queries_per_second. Error(invalid_argument) for a rate that is no positive number, or more queries than
/// memory should hold.
std::vector<std::int64_t> arrivals(const ServerLoad& load);

ServerMeasured run_server(const Instances& instances, const ServerLoad& load, const Watch& watch);

/// The highest rate that keeps the bound, by bisection between none and what the instances do in a closed
/// loop, with a trial of `load.seconds` each. `trial` is told of each. Without a rate that keeps it: the last
/// trial, with is_met false.
ServerMeasured find_server_rate(const Instances& instances, ServerLoad load, const Watch& watch,
                                const std::function<void(const ServerMeasured&)>& trial);

}  // namespace octavo::bench
