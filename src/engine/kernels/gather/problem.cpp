#include "engine/kernels/gather/problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void GatherProblem::check() const {
  check_extent(kFamily, "bytes", bytes, 1, 8);
  if (index != DType::s32 && index != DType::s64) {
    fail(ErrorCode::invalid_argument, "gather problem: 'index' is {}, expected s32 or s64",
         dtype_name(index));
  }
  check_elements(kFamily, "data", {outer, rows, inner, bytes});
  check_elements(kFamily, "y", {outer, indices, inner, bytes});
  check_extent(kFamily, "grows_data", grows_data, 0, 1);
  check_extent(kFamily, "grows_indices", grows_indices, 0, 1 - grows_data);
  if (grows_indices != 0) check_extent(kFamily, "outer", outer, 1, 1);
}

StepSizes GatherProblem::sizes() const {
  const std::int64_t data = outer * rows * inner;
  const std::int64_t y = outer * indices * inner;
  return {{{std::nullopt, bytes, data, grows_data * data},
           {index, dtype_bytes(index), indices, grows_indices * indices}},
          {std::nullopt, bytes, y, (grows_data + grows_indices) * y}};
}

}  // namespace octavo
