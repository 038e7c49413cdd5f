#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

enum class BinaryKind { add, mul, sub, div, minimum, maximum, pow };
inline std::span<const std::string_view> enum_names(BinaryKind) {
  static constexpr std::array<std::string_view, 7> kNames{"add",     "mul",     "sub", "div",
                                                          "minimum", "maximum", "pow"};
  return kNames;
}

/// y[i...] = activation(a[i...] op b[i...]) over `dims`, y dense. A stride of 0 repeats an operand along that
/// extent; one unit of batch moves y by the product of dims and the operands by their batch strides (0: the
/// operand does not grow). f32, or quantized add and mul; s32 and s64 too (shape arithmetic, integer models).
/// Parameters: lo, hi.
struct BinaryProblem {
  static constexpr std::string_view kFamily = "binary";
  BinaryKind kind = BinaryKind::add;
  DType a = DType::u8, b = DType::u8, y = DType::u8;
  std::vector<std::int64_t> dims, a_strides,
      b_strides;  ///< in elements; lowering merges extents where it can
  std::int64_t a_batch_stride = 0, b_batch_stride = 0;
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
  void check() const;
  [[nodiscard]] StepSizes sizes() const;

 private:
  template <class Self, class Field>
  static void fields(Self& p, Field& field) {
    field("kind", p.kind), field("a", p.a), field("b", p.b), field("y", p.y), field("dims", p.dims),
        field("a_strides", p.a_strides), field("b_strides", p.b_strides),
        field("a_batch_stride", p.a_batch_stride), field("b_batch_stride", p.b_batch_stride),
        field("activation", p.activation), field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo
