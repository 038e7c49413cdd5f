#include "engine/kernels/copy/problem.h"

#include <algorithm>
#include <functional>
#include <numeric>

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
    // Bounded over the whole extent: kernels compute places in the filling too, although they read none
    // there.
    const std::int64_t reach = std::max<std::int64_t>(dims[d], 1);
    check_extent(kFamily, "x_strides", x_strides[d], -kMostElements / reach, kMostElements / reach);
    const std::int64_t steps = count[d] - 1;
    if (steps <= 0) continue;
    (x_strides[d] > 0 ? last : first) += steps * x_strides[d];
    check_extent(kFamily, "x_strides: the first element read", first, 0, kMostElements);
    check_extent(kFamily, "x_strides: the last element read", last, 0, kMostElements);
  }
}

StepSizes CopyProblem::sizes() const {
  const std::int64_t results =
      std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
  const bool reads = std::find(count.begin(), count.end(), 0) == count.end();
  std::int64_t last = x_offset;
  for (std::size_t d = 0; d < dims.size() && reads; ++d) {
    last += std::max<std::int64_t>(0, (count[d] - 1) * x_strides[d]);
  }
  return {{{std::nullopt, bytes, reads ? last + 1 : 0, reads ? x_batch_stride : 0}},
          {std::nullopt, bytes, results, results}};
}

}  // namespace octavo
