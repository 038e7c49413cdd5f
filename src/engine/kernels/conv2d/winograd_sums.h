#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/inline.h"

// The transform of Winograd's sums along one direction (docs/numerics.md), for files compiled for AVX-512
// VNNI. All of it has internal linkage.

namespace octavo {
namespace {

OCTAVO_INLINE __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
OCTAVO_INLINE __m512i minus(__m512i a, __m512i b) { return _mm512_sub_epi32(a, b); }
template <int power>
OCTAVO_INLINE __m512i times_power(__m512i a) {
  return _mm512_slli_epi32(a, power);
}

/// 6 points to 4 results times 24, or 4 of a small tile, points 0, 1, 2 and 5, to 2.
OCTAVO_INLINE void results(const __m512i* m, __m512i* y) {
  const __m512i s1 = plus(m[1], m[2]), d1 = minus(m[1], m[2]);
  const __m512i s2 = plus(m[3], m[4]), d2 = minus(m[3], m[4]);
  y[0] = plus(plus(m[0], s1), s2);
  y[1] = plus(d1, times_power<1>(d2));
  y[2] = plus(s1, times_power<2>(s2));
  y[3] = plus(d1, times_power<1>(plus(times_power<2>(d2), m[5])));
}
OCTAVO_INLINE void small_results(__m512i m0, __m512i m1, __m512i m2, __m512i m5, __m512i* y) {
  y[0] = plus(times_power<2>(m0), plus(m1, m2));
  y[1] = plus(minus(m1, m2), times_power<1>(m5));
}

/// A tile's row of points, 16 sums at each, `stride` numbers from point to point, to its WinogradBlock::sums.
OCTAVO_INLINE void transform_points(const std::int32_t* points, std::int64_t stride, bool is_large,
                                    std::int32_t* sums) {
  __m512i m[kTileInputs], y[kTileResults] = {};
#pragma GCC unroll 6
  for (std::int64_t j = 0; j < kTileInputs; ++j) m[j] = _mm512_loadu_si512(points + j * stride);
  is_large ? results(m, y) : small_results(m[0], m[1], m[2], m[5], y);
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < kTileResults; ++j) _mm512_storeu_si512(sums + j * kWinogradPanel, y[j]);
}

}  // namespace
}  // namespace octavo
