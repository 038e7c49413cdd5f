#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// y[o, :, i] = softmax of x[o, :, i] over `count` entries (log=1: its logarithm), f32, o < outer, i < inner.
struct SoftmaxProblem {
  static constexpr std::string_view kFamily = "softmax";
  std::int64_t outer = 1, count = 0, inner = 1;  ///< outer per unit of batch
  std::int64_t log = 0;

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
    field("outer", p.outer), field("count", p.count), field("inner", p.inner), field("log", p.log);
  }
};

}  // namespace octavo
