#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

enum class UnaryKind {
  relu,
  clip,
  sigmoid,
  tanh,
  hardswish,
  hardsigmoid,
  leaky_relu,
  elu,
  exp,
  log,
  sqrt,
  neg,
  abs,
  erf,
  floor,
  ceil,
  round,
  reciprocal,
  softplus
};
inline std::span<const std::string_view> enum_names(UnaryKind) {
  static constexpr std::array<std::string_view, 19> kNames{
      "relu",  "clip", "sigmoid", "tanh",       "hardswish", "hardsigmoid", "leaky_relu",
      "elu",   "exp",  "log",     "sqrt",       "neg",       "abs",         "erf",
      "floor", "ceil", "round",   "reciprocal", "softplus"};
  return kNames;
}

/// y[i] = kind(x[i]) for `count` elements per unit of batch. f32; or 8-bit quantized through a table of 256
/// entries (dequantize, function in f32, quantize), except relu and clip, which act on the stored values.
/// Parameters: lo, hi (clip, in stored units), alpha, beta. relu, clip, neg, abs: integers too.
struct UnaryProblem {
  static constexpr std::string_view kFamily = "unary";
  UnaryKind kind = UnaryKind::relu;
  DType x = DType::u8, y = DType::u8;
  std::int64_t count = 0;
  Arithmetic arithmetic = Arithmetic::fbgemm;

  template <class Field>
  void each_field(Field&& field) {
    fields(*this, field);
  }
  template <class Field>
  void each_field(Field&& field) const {
    fields(*this, field);
  }
  void check() const;
  [[nodiscard]] StepSizes sizes() const;

 private:
  template <class Self, class Field>
  static void fields(Self& p, Field& field) {
    field("kind", p.kind), field("x", p.x), field("y", p.y), field("count", p.count),
        field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo
