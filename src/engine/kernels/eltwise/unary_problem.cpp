#include "engine/kernels/eltwise/unary_problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void UnaryProblem::check() const { check_extent(kFamily, "count", count, 0, kMostElements); }

}  // namespace octavo
