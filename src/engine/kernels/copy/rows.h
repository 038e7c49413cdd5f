#pragma once
#include "engine/kernels/copy/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support copy_reference_supports(const CopyProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_copy_reference(const CopyProblem& problem, const Operands& operands);

}  // namespace octavo
