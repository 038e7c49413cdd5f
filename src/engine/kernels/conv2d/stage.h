#pragma once
#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/output_stage.h"

namespace octavo {

/// The output stage of a convolution, its residual included.
OutputStage conv2d_stage(const Conv2dProblem& problem, const Operands& operands);

/// Whether FBGEMM would give the problem to its depthwise kernels: 8 or more channels, each with one or two
/// results, a square window of 3, 5 or 7 with its border all around. Their bias is divided by m also where
/// the weights have one scale, as the recorded references of MobileNetV2 have it; docs/numerics.md says how
/// FBGEMM's own code differs.
bool is_fbgemm_depthwise(const Conv2dProblem& problem) noexcept;

}  // namespace octavo
