#include "engine/kernels/eltwise/unary_problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void UnaryProblem::check() const { check_extent(kFamily, "count", count, 0, kMostElements); }

StepSizes UnaryProblem::sizes() const {
  return {{OperandSize::growing(x, count)}, OperandSize::growing(y, count)};
}

}  // namespace octavo
