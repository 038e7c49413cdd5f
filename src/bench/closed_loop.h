#pragma once
#include "bench/instance.h"
#include "bench/measured.h"

namespace octavo::bench {

/// Every instance scores batches of `batch` samples one after the other, all instances at the same time:
/// first to warm up, then for Timing::seconds. A run counts in the window in which it ends; every window
/// holds at least one. With one instance and a batch of 1 this is MLPerf's single-stream scenario.
Measured run_closed_loop(const Instances& instances, std::int64_t batch, const Timing& timing,
                         const Watch& watch);

}  // namespace octavo::bench
