#pragma once
#include "engine/kernels/concat/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support concat_reference_supports(const ConcatProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_concat_reference(const ConcatProblem& problem, const Operands& operands);

}  // namespace octavo
