#include "engine/kernels/eltwise/unary_problem.h"

#include "engine/kernels/check_extents.h"

namespace octavo {

void UnaryProblem::check() const { check_extent(kFamily, "count", count, 0); }

}  // namespace octavo
