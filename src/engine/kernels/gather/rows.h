#pragma once
#include "engine/kernels/gather/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support gather_reference_supports(const GatherProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_gather_reference(const GatherProblem& problem, const Operands& operands);

}  // namespace octavo
