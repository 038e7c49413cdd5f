#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/inline.h"

// The transform of Winograd's weights along a row of points (docs/numerics.md), for files compiled for
// AVX-512 VNNI. All of it has internal linkage.

namespace octavo {
namespace {

constexpr std::int64_t kColumn = kWinogradPanel * 2;       // weights of a pair of channels at a column
constexpr std::int64_t kPair = kWinogradWindow * kColumn;  // and at all three

/// Point `j` of the row that the weights of a pair of channels at `weights` belong to, WinogradPanel's.
template <int j>
OCTAVO_INLINE __m512i weights_at(const std::int16_t* weights) {
  const auto column = [&](std::int64_t i) { return _mm512_loadu_si512(weights + i * kColumn); };
  const auto times = [](__m512i a, short factor) { return _mm512_mullo_epi16(a, _mm512_set1_epi16(factor)); };
  if constexpr (j == 0) return times(column(0), 6);
  if constexpr (j == 5) return times(column(2), 3);
  __m512i even = column(0), odd = column(1);
  if constexpr (j == 1 || j == 2) even = _mm512_slli_epi16(even, 2), odd = _mm512_slli_epi16(odd, 1);
  even = _mm512_add_epi16(even, column(2));
  return j == 1 || j == 3 ? _mm512_add_epi16(even, odd) : _mm512_sub_epi16(even, odd);
}

}  // namespace
}  // namespace octavo
