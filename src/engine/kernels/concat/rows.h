#pragma once
#include "engine/kernels/concat/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support concat_reference_supports(const ConcatProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_concat_reference(const ConcatProblem& problem, const Operands& operands);

/// Any problem; 8-bit inputs whose quantization is not the output's go through tables.
Support concat_runs_supports(const ConcatProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_concat_runs(const ConcatProblem& problem, const Operands& operands);
std::unique_ptr<Prepared> prepare_concat_runs_avx512_vnni(const ConcatProblem& problem,
                                                          const Operands& operands);

}  // namespace octavo
