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

}  // namespace octavo
