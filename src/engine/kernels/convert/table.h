#pragma once
#include <span>

#include "engine/kernels/convert/dynamic_problem.h"
#include "engine/kernels/convert/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// The rows of each family, best first, the reference last.
std::span<const KernelRow<ConvertProblem>> convert_kernels();
std::span<const KernelRow<DynamicQuantizeProblem>> dynamic_quantize_kernels();

}  // namespace octavo
