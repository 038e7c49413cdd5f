#pragma once
#include "bench/instance.h"
#include "bench/measured.h"

namespace octavo::bench {

/// MLPerf's multi-stream scenario: one query of `samples` samples after the other; the instances share a
/// query's samples as evenly as they can, and its latency is that of the slowest.
Measured run_multi_stream(const Instances& instances, std::int64_t samples, const Timing& timing,
                          const Watch& watch);

}  // namespace octavo::bench
