#pragma once
#include "engine/kernels/eltwise/binary_problem.h"
#include "engine/kernels/eltwise/unary_problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support binary_reference_supports(const BinaryProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_binary_reference(const BinaryProblem& problem, const Operands& operands);

Support unary_reference_supports(const UnaryProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_unary_reference(const UnaryProblem& problem, const Operands& operands);

}  // namespace octavo
