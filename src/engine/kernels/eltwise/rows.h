#pragma once
#include "engine/kernels/eltwise/binary_problem.h"
#include "engine/kernels/eltwise/unary_problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support binary_reference_supports(const BinaryProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_binary_reference(const BinaryProblem& problem, const Operands& operands);

/// 8 bits + 8 bits with every operand one dense run.
Support binary_dense_add_supports(const BinaryProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_binary_add_avx2(const BinaryProblem& problem, const Operands& operands);
std::unique_ptr<Prepared> prepare_binary_add_avx512(const BinaryProblem& problem, const Operands& operands);

Support unary_reference_supports(const UnaryProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_unary_reference(const UnaryProblem& problem, const Operands& operands);

/// 8 bits to 8 bits through a table.
Support unary_table_supports(const UnaryProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_unary_table(const UnaryProblem& problem, const Operands& operands);
std::unique_ptr<Prepared> prepare_unary_table_avx512_vnni(const UnaryProblem& problem,
                                                          const Operands& operands);

}  // namespace octavo
