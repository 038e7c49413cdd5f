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

}  // namespace octavo
