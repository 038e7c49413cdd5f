#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

enum class ConvertKind { quantize, dequantize, requantize, cast };
inline std::span<const std::string_view> enum_names(ConvertKind) {
  static constexpr std::array<std::string_view, 4> kNames{"quantize", "dequantize", "requantize", "cast"};
  return kNames;
}

/// Changes the element type. x is [n, c, s]; y is the same, or [n, s, c] when channels_last=1 (an NCHW image
/// becoming NHWC on the way in), or x is [n, s, c] and y [n, c, s] when channels_first=1. A plain list of
/// values is n=1, c=1. dequantize: per tensor, or per axis when x's quantization has an axis: then that axis
/// is c (and no layout changes). requantize goes through f32: dequantize, quantize. cast: plain numbers as
/// ONNX's Cast (float to int truncates).
struct ConvertProblem {
  static constexpr std::string_view kFamily = "convert";
  ConvertKind kind = ConvertKind::quantize;
  DType x = DType::f32, y = DType::u8;
  std::int64_t n = 1, c = 1, s = 1;  ///< n per unit of batch
  std::int64_t channels_last = 0, channels_first = 0;
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
    field("kind", p.kind), field("x", p.x), field("y", p.y), field("n", p.n), field("c", p.c),
        field("s", p.s), field("channels_last", p.channels_last), field("channels_first", p.channels_first),
        field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo
