#pragma once
#include "package/plan.h"

namespace octavo {

/// Whether the step's batch grows with the run's: otherwise it computes the same for every batch, once.
bool grows(const Plan& plan, const Step& step);

/// Checks that the step's tensors hold at least what its Problem reads and writes, at every batch size, so
/// that a plan from a hostile file cannot make a kernel leave its memory. Expects a plan that passed `check`.
/// Error(invalid_model) naming the tensor and both sizes; Error(invalid_argument) when the Problem itself is
/// none.
void check_sizes(const Plan& plan, const Step& step);

}  // namespace octavo
