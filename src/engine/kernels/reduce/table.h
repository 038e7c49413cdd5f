#pragma once
#include <span>

#include "engine/kernels/kernel.h"
#include "engine/kernels/reduce/problem.h"

namespace octavo {

/// The rows of the family, best first, the reference last.
std::span<const KernelRow<ReduceProblem>> reduce_kernels();

}  // namespace octavo
