#pragma once
#include <span>

#include "engine/kernels/kernel.h"
#include "engine/kernels/pool/problem.h"

namespace octavo {

/// The rows of the family, best first, the reference last.
std::span<const KernelRow<PoolProblem>> pool_kernels();

}  // namespace octavo
