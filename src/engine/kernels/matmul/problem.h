#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// y[i, m, n] = a[i, m, k] * b[i, k, n] for i < batches; a stride of 0 batches repeats an operand (a_batches,
/// b_batches: 1 or `batches`; only leading extents broadcast, lowering expands other cases). Whatever grows
/// with the batch is `batches`, or, when batches is 1 and per_image=rows, m. Step operands: a, b, then for
/// `integer` results the zero points that are there. f32 x f32 -> f32; quantized -> quantized
/// (arithmetic=ort); u8/s8 -> s32 minus zero points (matmul_integer).
enum class MatmulGrows { nothing, batches, rows };
inline std::span<const std::string_view> enum_names(MatmulGrows) {
  static constexpr std::array<std::string_view, 3> kNames{"nothing", "batches", "rows"};
  return kNames;
}

struct MatmulProblem {
  static constexpr std::string_view kFamily = "matmul";
  DType a = DType::f32, b = DType::f32, y = DType::f32;
  std::int64_t batches = 1, a_batches = 1, b_batches = 1;
  std::int64_t m = 0, k = 0, n = 0;
  MatmulGrows grows = MatmulGrows::nothing;         ///< which extent the run's batch multiplies
  std::int64_t a_zero_point = 0, b_zero_point = 0;  ///< 1: that zero point is an operand (scalar)
  Arithmetic arithmetic = Arithmetic::ort;

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
    field("a", p.a), field("b", p.b), field("y", p.y), field("batches", p.batches),
        field("a_batches", p.a_batches);
    field("b_batches", p.b_batches), field("m", p.m), field("k", p.k), field("n", p.n),
        field("grows", p.grows);
    field("a_zero_point", p.a_zero_point), field("b_zero_point", p.b_zero_point),
        field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo
