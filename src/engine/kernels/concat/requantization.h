#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "engine/kernels/concat/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// How one input's values come into the output: as they are, or through a table of 256 results.
struct ConcatInput {
  std::int64_t width = 0;   ///< elements per outer index
  std::int64_t offset = 0;  ///< where they begin in y's row
  bool requantize = false;
  std::uint8_t table[256] = {};
};

/// One entry per input. Error(invalid_argument) when there are not as many operands as widths, or when only
/// one of an 8-bit input and the output is quantized.
std::vector<ConcatInput> concat_inputs(const ConcatProblem& problem, const Operands& operands);

}  // namespace octavo
