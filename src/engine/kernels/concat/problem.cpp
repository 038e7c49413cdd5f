#include "engine/kernels/concat/problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void ConcatProblem::check() const {
  constexpr std::size_t kMostInputs = 4096;
  if (widths.empty() || widths.size() > kMostInputs) {
    fail(ErrorCode::invalid_argument, "concat problem: 'widths' has {} entries, expected 1 to {}",
         widths.size(), kMostInputs);
  }
  std::int64_t width = 0;
  for (std::int64_t w : widths) {
    check_extent(kFamily, "widths", w, 0, kMostElements);
    width += w;
  }
  check_elements(kFamily, "y", {outer, width});
}

StepSizes ConcatProblem::sizes() const {
  StepSizes all;
  std::int64_t width = 0;
  for (std::int64_t w : widths) {
    all.inputs.push_back(OperandSize::growing(dtype, outer * w));
    width += w;
  }
  all.output = OperandSize::growing(dtype, outer * width);
  return all;
}

}  // namespace octavo
