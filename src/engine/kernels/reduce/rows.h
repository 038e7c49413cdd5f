#pragma once
#include "engine/kernels/kernel.h"
#include "engine/kernels/reduce/problem.h"

namespace octavo {

Support reduce_reference_supports(const ReduceProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_reduce_reference(const ReduceProblem& problem, const Operands& operands);

}  // namespace octavo
