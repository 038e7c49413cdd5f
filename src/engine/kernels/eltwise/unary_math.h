#pragma once
#include <memory>

#include "engine/kernels/eltwise/unary_problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// A unary operator with its parameters, all but relu and clip, which depend on how values are stored.
struct UnaryFunction {
  UnaryKind kind = UnaryKind::neg;
  float alpha = 0, beta = 0;
  bool pytorch_hardsigmoid = false;  ///< clamp(x + 3, 0, 6) / 6, not clamp(alpha * x + beta, 0, 1)

  /// In f32, each operation rounded.
  [[nodiscard]] float operator()(float x) const noexcept;
};

/// Reads alpha and beta. PyTorch's hardsigmoid has no parameters: alpha = f32(1 / 6), beta = 0.5 means it,
/// unless arithmetic=ort.
UnaryFunction unary_function(const UnaryProblem& problem, const Operands& operands);

/// For an 8-bit problem the result of every stored value, indexed by the input's bits. Without quantization
/// the values are plain numbers, which relu, clip, neg and abs know; Error(invalid_argument) for the others.
void fill_unary_table(const UnaryProblem& problem, const Operands& operands, std::uint8_t (&table)[256]);

}  // namespace octavo
