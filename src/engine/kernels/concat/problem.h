#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// y[o, :] = x0[o, :] x1[o, :] ... for o < outer; `widths[i]` elements from input i. 8-bit inputs whose
/// quantization differs from the output's are requantized (dequantize, quantize) through a table. The same
/// dtype everywhere.
struct ConcatProblem {
  static constexpr std::string_view kFamily = "concat";
  DType dtype = DType::u8;
  std::int64_t outer = 1;  ///< per unit of batch
  std::vector<std::int64_t> widths;
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
    field("dtype", p.dtype), field("outer", p.outer), field("widths", p.widths),
        field("arithmetic", p.arithmetic);
  }
};

}  // namespace octavo
