#include "engine/kernels/reduce/problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void ReduceProblem::check() const {
  check_elements(kFamily, "x", {outer, count, inner});
  check_elements(kFamily, "y", {outer, inner});
  check_extent(kFamily, "rounding", rounding, 0, 2);
}

StepSizes ReduceProblem::sizes() const {
  return {{OperandSize::growing(x, outer * count * inner)}, OperandSize::growing(y, outer * inner)};
}

}  // namespace octavo
