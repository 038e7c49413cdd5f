#pragma once
#include <span>

#include "engine/kernels/copy/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// The rows of the family, best first, the reference last.
std::span<const KernelRow<CopyProblem>> copy_kernels();

}  // namespace octavo
