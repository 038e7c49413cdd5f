#include "engine/kernels/eltwise/binary_problem.h"

#include "engine/kernels/extents.h"

namespace octavo {
namespace {

void check_operand(std::string_view field, const BinaryProblem& problem,
                   const std::vector<std::int64_t>& strides) {
  if (strides.size() != problem.dims.size()) {
    fail(ErrorCode::invalid_argument, "binary problem: '{}' has {} entries, expected {}", field,
         strides.size(), problem.dims.size());
  }
  std::int64_t last = 0;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    check_extent(BinaryProblem::kFamily, field, strides[d], 0, kMostElements);
    const std::int64_t steps = problem.dims[d] - 1;
    if (steps > 0 && strides[d] > (kMostElements - last) / steps) {
      fail(ErrorCode::invalid_argument, "binary problem: '{}' reach beyond {} elements", field,
           kMostElements);
    }
    if (steps > 0) last += steps * strides[d];
  }
}

}  // namespace

void BinaryProblem::check() const {
  constexpr std::size_t kMostDims = 16;
  if (dims.size() > kMostDims) {
    fail(ErrorCode::invalid_argument, "binary problem: 'dims' has {} entries, at most {}", dims.size(),
         kMostDims);
  }
  check_elements(kFamily, "dims", dims);
  check_operand("a_strides", *this, a_strides);
  check_operand("b_strides", *this, b_strides);
  check_extent(kFamily, "a_batch_stride", a_batch_stride, 0, kMostElements);
  check_extent(kFamily, "b_batch_stride", b_batch_stride, 0, kMostElements);
}

}  // namespace octavo
