#pragma once
#include <cstdint>
#include <string>

#include "package/plan.h"

namespace octavo::bench {

/// What one step must at least do, from its Problem alone.
struct StepCost {
  std::int64_t macs = 0;   ///< multiply-accumulates; 0 for families that hardly multiply
  std::int64_t bytes = 0;  ///< of all operands and the result, each counted once
  bool is_float = false;   ///< its first operand is f32
};
/// At a batch of `batch`. Error(invalid_argument) when `problem` is none.
StepCost cost_of(const std::string& problem, std::int64_t batch);

/// Multiply-accumulates of all steps of a plan for one item.
std::int64_t macs_per_item(const Plan& plan);

}  // namespace octavo::bench
