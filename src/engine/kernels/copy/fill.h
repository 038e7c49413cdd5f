#pragma once
#include <array>
#include <cstddef>

#include "engine/kernels/copy/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// The parameter "fill" as an element of the output, in the first bytes. Error(invalid_argument) when the
/// output's dtype has another size than the problem's elements; a half float can only be filled with zeros.
std::array<std::byte, 8> fill_bytes(const CopyProblem& problem, const Operands& operands);

}  // namespace octavo
