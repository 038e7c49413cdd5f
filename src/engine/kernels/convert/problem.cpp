#include "engine/kernels/convert/problem.h"

#include "engine/kernels/convert/dynamic_problem.h"
#include "engine/kernels/extents.h"

namespace octavo {

void ConvertProblem::check() const {
  check_elements(kFamily, "n c s", {n, c, s});
  check_extent(kFamily, "channels_last", channels_last, 0, 1);
  check_extent(kFamily, "channels_first", channels_first, 0, 1 - channels_last);
}

void DynamicQuantizeProblem::check() const { check_extent(kFamily, "count", count, 0, kMostElements); }

StepSizes ConvertProblem::sizes() const {
  return {{OperandSize::growing(x, n * c * s)}, OperandSize::growing(y, n * c * s)};
}

StepSizes DynamicQuantizeProblem::sizes() const {
  const OperandSize x = OperandSize::growing(DType::f32, count);
  if (result == DynamicResult::scale) return {{x}, OperandSize::fixed(DType::f32, 1)};
  if (result == DynamicResult::zero_point) return {{x}, OperandSize::fixed(DType::u8, 1)};
  return {{x}, OperandSize::growing(DType::u8, count)};
}

}  // namespace octavo
