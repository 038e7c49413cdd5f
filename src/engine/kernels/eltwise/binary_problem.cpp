#include "engine/kernels/eltwise/binary_problem.h"

#include <functional>
#include <numeric>

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

StepSizes BinaryProblem::sizes() const {
  const auto operand = [this](DType dtype, const std::vector<std::int64_t>& strides, std::int64_t growth) {
    std::int64_t last = 0;
    for (std::size_t d = 0; d < dims.size(); ++d) last += (dims[d] - 1) * strides[d];
    return OperandSize{dtype, dtype_bytes(dtype), last + 1, growth};
  };
  const std::int64_t results =
      std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
  if (results == 0) {
    return {{OperandSize::fixed(a, 0), OperandSize::fixed(b, 0)}, OperandSize::fixed(y, 0)};
  }
  return {{operand(a, a_strides, a_batch_stride), operand(b, b_strides, b_batch_stride)},
          OperandSize::growing(y, results)};
}

}  // namespace octavo
