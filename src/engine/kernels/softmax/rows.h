#pragma once
#include "engine/kernels/kernel.h"
#include "engine/kernels/softmax/problem.h"

namespace octavo {

Support softmax_reference_supports(const SoftmaxProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_softmax_reference(const SoftmaxProblem& problem, const Operands& operands);

}  // namespace octavo
