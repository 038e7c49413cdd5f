#include "engine/kernels/softmax/problem.h"

#include "engine/kernels/check_extents.h"

namespace octavo {

void SoftmaxProblem::check() const {
  checked_elements(kFamily, "x", {outer, count, inner});
  check_extent(kFamily, "log", log, 0, 1);
}

}  // namespace octavo
