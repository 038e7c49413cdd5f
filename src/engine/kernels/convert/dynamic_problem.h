#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

enum class DynamicResult { values, scale, zero_point };
inline std::span<const std::string_view> enum_names(DynamicResult) {
  static constexpr std::array<std::string_view, 3> kNames{"values", "scale", "zero_point"};
  return kNames;
}

/// ONNX's DynamicQuantizeLinear of `count` f32 values to u8 (the whole tensor, so the batch multiplies
/// count); one of its three results.
struct DynamicQuantizeProblem {
  static constexpr std::string_view kFamily = "dynamic_quantize";
  DynamicResult result = DynamicResult::values;
  std::int64_t count = 0;

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
    field("result", p.result), field("count", p.count);
  }
};

}  // namespace octavo
