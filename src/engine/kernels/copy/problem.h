#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// Moves elements of `bytes` bytes into a dense y of `dims`: slice, transpose, layout change, expand,
/// constant padding in one. Along extent d the coordinates begin[d] <= i < begin[d] + count[d] read x at
/// x_offset + sum (i - begin[d]) * x_strides[d]; all others get the fill value (parameter "fill", converted
/// to the output's dtype). Strides may be 0 or negative. One unit of batch moves y by the product of dims and
/// x by x_batch_stride.
struct CopyProblem {
  static constexpr std::string_view kFamily = "copy";
  std::int64_t bytes = 1;
  std::vector<std::int64_t> dims, x_strides, begin, count;
  std::int64_t x_offset = 0, x_batch_stride = 0;

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
    field("bytes", p.bytes), field("dims", p.dims), field("x_strides", p.x_strides), field("begin", p.begin),
        field("count", p.count), field("x_offset", p.x_offset), field("x_batch_stride", p.x_batch_stride);
  }
};

}  // namespace octavo
