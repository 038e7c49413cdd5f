#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace octavo {
namespace pytorch_order {

inline constexpr std::int64_t kLanes = 8, kInterleaved = 4;
inline constexpr int kLevels = 4;

/// Level 0 takes 2^power values, is then added to level 1, that after 2^power such additions to level 2, ...
template <class Value>
float cascade(std::int64_t count, const Value& value) noexcept {
  const int bits = count <= 1 ? 0 : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(count - 1)));
  const int power = std::max(4, bits / kLevels);
  const std::int64_t step = std::int64_t{1} << power;
  float level[kLevels] = {};
  std::int64_t i = 0;
  while (i + step <= count) {
    for (const std::int64_t end = i + step; i < end; ++i) level[0] += value(i);
    for (int j = 1; j < kLevels; ++j) {
      level[j] += level[j - 1];
      level[j - 1] = 0;
      if ((i & ((step - 1) << (j * power))) != 0) break;
    }
  }
  for (; i < count; ++i) level[0] += value(i);
  for (int j = 1; j < kLevels; ++j) level[0] += level[j];
  return level[0];
}

template <class Value>
float interleaved(std::int64_t count, const Value& value) noexcept {
  const std::int64_t rows = count / kInterleaved;
  float sums[kInterleaved];
  for (std::int64_t k = 0; k < kInterleaved; ++k) {
    sums[k] = cascade(rows, [&](std::int64_t r) { return value(r * kInterleaved + k); });
  }
  for (std::int64_t r = rows * kInterleaved; r < count; ++r) sums[0] += value(r);
  for (std::int64_t k = 1; k < kInterleaved; ++k) sums[0] += sums[k];
  return sums[0];
}

/// A contiguous line: the odd end first, then the eight lanes' sums.
template <class Value>
float along_lanes(std::int64_t count, const Value& value) noexcept {
  const std::int64_t vectors = count / kLanes;
  float sum = 0;
  for (std::int64_t r = vectors * kLanes; r < count; ++r) sum += value(r);
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    sum += interleaved(vectors, [&](std::int64_t v) { return value(v * kLanes + lane); });
  }
  return sum;
}

}  // namespace pytorch_order

/// The f32 sum over r < count of column `column` of a dense [count, inner] block, in the order in which
/// PyTorch's CPU build for AVX2 adds (checked bit for bit by tests/golden/kernels): the first
/// inner / 32 * 32 columns are summed in four levels of partial sums; others first as four interleaved sums
/// of every fourth row. With inner == 1 the rows themselves go through eight lanes. `value(r)` is the r-th
/// addend. Never include this from an ISA file.
template <class Value>
float pytorch_sum(std::int64_t count, std::int64_t inner, std::int64_t column, const Value& value) noexcept {
  if (inner == 1 && count >= pytorch_order::kLanes) return pytorch_order::along_lanes(count, value);
  const std::int64_t block = inner >= pytorch_order::kLanes
                                 ? pytorch_order::kLanes * pytorch_order::kInterleaved
                                 : pytorch_order::kInterleaved;
  const bool in_a_block = inner > 1 && column < inner / block * block;
  return in_a_block ? pytorch_order::cascade(count, value) : pytorch_order::interleaved(count, value);
}

}  // namespace octavo
