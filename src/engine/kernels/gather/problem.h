#pragma once
#include "engine/kernels/activation.h"
#include "engine/kernels/operand_size.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// y[o, j, :] = data[o, indices[j], :] with rows of `inner` elements of `bytes` bytes, j < indices; negative
/// indices count from the back; s32 or s64 indices. grows_data=1: outer grows with the batch;
/// grows_indices=1: indices do (then outer is 1). An index out of range gives a row of zeros: a
/// running step has no way to fail.
struct GatherProblem {
  static constexpr std::string_view kFamily = "gather";
  std::int64_t bytes = 4;
  DType index = DType::s64;
  std::int64_t outer = 1, rows = 0, inner = 1, indices = 0;
  std::int64_t grows_data = 0, grows_indices = 0;

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
    field("bytes", p.bytes), field("index", p.index), field("outer", p.outer), field("rows", p.rows),
        field("inner", p.inner), field("indices", p.indices), field("grows_data", p.grows_data),
        field("grows_indices", p.grows_indices);
  }
};

}  // namespace octavo
