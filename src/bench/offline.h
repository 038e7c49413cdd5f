#pragma once
#include "bench/instance.h"
#include "bench/measured.h"

namespace octavo::bench {

/// MLPerf's offline scenario: `samples` samples are there at once (0 = about as many as Timing::seconds
/// allow); the instances take them in batches of `batch` until none is left, and the time ends with the last
/// one. Done Timing::windows times with equal parts of the samples. Latencies are those of batches.
Measured run_offline(const Instances& instances, std::int64_t batch, std::int64_t samples,
                     const Timing& timing, const Watch& watch);

}  // namespace octavo::bench
