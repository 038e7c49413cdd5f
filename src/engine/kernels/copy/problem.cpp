#include "engine/kernels/copy/problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void CopyProblem::check() const {
  constexpr std::size_t kMostDims = 16;
  if (dims.size() > kMostDims) {
    fail(ErrorCode::invalid_argument, "copy problem: 'dims' has {} entries, at most {}", dims.size(),
         kMostDims);
  }
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) {
    fail(ErrorCode::invalid_argument, "copy problem: 'bytes' is {}, expected 1, 2, 4 or 8", bytes);
  }
  for (const auto* list : {&x_strides, &begin, &count}) {
    if (list->size() == dims.size()) continue;
    fail(ErrorCode::invalid_argument, "copy problem: a list of {} entries for {} dims", list->size(),
         dims.size());
  }
  check_elements(kFamily, "dims", dims);
  check_elements(kFamily, "count", count);
  check_extent(kFamily, "x_offset", x_offset, 0, kMostElements);
  check_extent(kFamily, "x_batch_stride", x_batch_stride, 0, kMostElements);
  std::int64_t first = x_offset, last = x_offset;
  for (std::size_t d = 0; d < dims.size(); ++d) {
    check_extent(kFamily, "begin", begin[d], 0, dims[d]);
    check_extent(kFamily, "count", count[d], 0, dims[d] - begin[d]);
    check_extent(kFamily, "x_strides", x_strides[d], -kMostElements, kMostElements);
    const std::int64_t steps = count[d] - 1;
    if (steps <= 0 || x_strides[d] == 0) continue;
    check_extent(kFamily, "x_strides", x_strides[d], -kMostElements / steps, kMostElements / steps);
    (x_strides[d] > 0 ? last : first) += steps * x_strides[d];
    check_extent(kFamily, "x_strides: the first element read", first, 0, kMostElements);
    check_extent(kFamily, "x_strides: the last element read", last, 0, kMostElements);
  }
}

}  // namespace octavo
