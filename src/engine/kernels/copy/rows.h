#pragma once
#include "engine/kernels/copy/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

Support copy_reference_supports(const CopyProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_copy_reference(const CopyProblem& problem, const Operands& operands);

/// Line by line, with memcpy where x's elements are neighbours.
Support copy_runs_supports(const CopyProblem& problem) noexcept;
std::unique_ptr<Prepared> prepare_copy_runs(const CopyProblem& problem, const Operands& operands);

}  // namespace octavo
