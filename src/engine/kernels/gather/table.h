#pragma once
#include <span>

#include "engine/kernels/gather/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// The rows of the family, best first, the reference last.
std::span<const KernelRow<GatherProblem>> gather_kernels();

}  // namespace octavo
