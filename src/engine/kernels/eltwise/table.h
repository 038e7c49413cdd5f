#pragma once
#include <span>

#include "engine/kernels/eltwise/binary_problem.h"
#include "engine/kernels/eltwise/unary_problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// The rows of each family, best first, the reference last.
std::span<const KernelRow<BinaryProblem>> binary_kernels();
std::span<const KernelRow<UnaryProblem>> unary_kernels();

}  // namespace octavo
