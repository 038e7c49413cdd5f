#pragma once
#include <span>

#include "engine/kernels/kernel.h"
#include "engine/kernels/softmax/problem.h"

namespace octavo {

/// The rows of the family, best first, the reference last.
std::span<const KernelRow<SoftmaxProblem>> softmax_kernels();

}  // namespace octavo
