#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/latency.h"
#include "octavo/session.h"

namespace octavo::cli {

/// The time of one step of a model's run.
struct StepTime {
  std::string problem, kernel, origin;
  double median_us = 0, best_us = 0;
  double ops_per_second = 0;  ///< 0 where the step multiplies nothing
};

/// One measured point of a model.
struct ModelTime {
  int threads = 1;
  std::int64_t batch = 1;
  Latency latency;
  std::int64_t macs_per_item = 0;
  double items_per_second = 0;     ///< from the median
  double peak_ops_per_second = 0;  ///< of `threads` cores, measured just before
  double peak_fraction = 0;
  std::vector<StepTime> steps;
};

/// Runs `package` on made-up inputs of `batch` items for `seconds`.
ModelTime time_model(const Package& package, SessionOptions options, std::int64_t batch, double seconds);

}  // namespace octavo::cli
