#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

enum class ReduceKind { mean, sum, maximum, minimum };
inline std::span<const std::string_view> enum_names(ReduceKind) {
  static constexpr std::array<std::string_view, 4> kNames{"mean", "sum", "maximum", "minimum"};
  return kNames;
}

/// y[o, i] = kind over r < count of x[o, r, i], o < outer, i < inner. f32; mean of quantized values rounds as
/// `rounding` says (0 channels_last, 1 contiguous, 2 ort: PoolProblem's AverageRounding).
struct ReduceProblem {
  static constexpr std::string_view kFamily = "reduce";
  ReduceKind kind = ReduceKind::mean;
  DType x = DType::f32, y = DType::f32;
  std::int64_t outer = 1, count = 1, inner = 1;  ///< outer per unit of batch
  std::int64_t rounding = 0;

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
    field("kind", p.kind), field("x", p.x), field("y", p.y), field("outer", p.outer), field("count", p.count),
        field("inner", p.inner), field("rounding", p.rounding);
  }
};

}  // namespace octavo
