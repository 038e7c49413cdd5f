#pragma once
#include <algorithm>
#include <cstring>

#include "engine/kernels/onednn/onednn.h"

namespace octavo::onednn {

/// Rows that one primitive of linear and matmul computes. Every row is computed by the same primitive however
/// many there are, in this batch or for this thread, so results do not depend on that. 16 rows cost about
/// what reading the weights costs.
inline constexpr std::int64_t kBlockRows = 16;

/// `rows` rows of `width` numbers from `x`, as a block of `block` rows: in place when there are as many, else
/// copied to `spare` and filled up with zeros.
inline const float* whole_block(const float* x, std::int64_t rows, std::int64_t block, std::int64_t width,
                                float* spare) noexcept {
  if (rows == block) return x;
  std::copy_n(x, rows * width, spare);
  std::fill_n(spare + rows * width, (block - rows) * width, 0.0F);
  return spare;
}

}  // namespace octavo::onednn
