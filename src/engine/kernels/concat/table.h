#pragma once
#include <span>

#include "engine/kernels/concat/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// The rows of the family, best first, the reference last.
std::span<const KernelRow<ConcatProblem>> concat_kernels();

}  // namespace octavo
