#include "engine/kernels/softmax/problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void SoftmaxProblem::check() const {
  check_elements(kFamily, "x", {outer, count, inner});
  check_extent(kFamily, "log", log, 0, 1);
}

StepSizes SoftmaxProblem::sizes() const {
  const OperandSize all = OperandSize::growing(DType::f32, outer * count * inner);
  return {{all}, all};
}

}  // namespace octavo
