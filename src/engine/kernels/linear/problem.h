#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// y[m, oc] = activation(requantize(x[m, ic] * w[oc, ic]^T + bias)). Step operands: x, w, then bias unless
/// none. Parameters: lo, hi (activation=clamp). Types as in Conv2dProblem; y=f32 with quantized x and w is
/// the dequantized result.
struct LinearProblem {
  static constexpr std::string_view kFamily = "linear";
  DType x = DType::u8, w = DType::s8, y = DType::u8;
  std::int64_t m = 1;  ///< rows per unit of batch
  std::int64_t ic = 0, oc = 0;
  Bias bias = Bias::none;
  Activation activation = Activation::none;
  Arithmetic arithmetic = Arithmetic::fbgemm;

  template <class Field>
  void each_field(Field&& field) {
    fields(*this, field);
  }
  template <class Field>
  void each_field(Field&& field) const {
    fields(*this, field);
  }
  [[nodiscard]] std::int64_t macs() const noexcept { return m * ic * oc; }
  void check() const;
  [[nodiscard]] StepSizes sizes() const;

 private:
  template <class Self, class Field>
  static void fields(Self& p, Field& field) {
    field("x", p.x), field("w", p.w), field("y", p.y), field("m", p.m), field("ic", p.ic), field("oc", p.oc);
    field("bias", p.bias), field("activation", p.activation), field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo
