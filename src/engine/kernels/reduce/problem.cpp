#include "engine/kernels/reduce/problem.h"

#include "engine/kernels/check_extents.h"

namespace octavo {

void ReduceProblem::check() const {
  checked_elements(kFamily, "x", {outer, count, inner});
  checked_elements(kFamily, "y", {outer, inner});
  check_extent(kFamily, "rounding", rounding, 0, 2);
}

}  // namespace octavo
