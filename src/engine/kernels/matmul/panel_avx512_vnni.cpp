#include <immintrin.h>

#include <cstddef>

#include "engine/kernels/inline.h"
#include "engine/kernels/matmul/panel_block.h"
#include "engine/kernels/vnni.h"

namespace octavo {
namespace {

constexpr int kRows = 6;  // x 4 vectors of 16 columns = 24 sums, 4 of b, one of a

__mmask16 mask_of(std::int64_t columns) {
  return static_cast<__mmask16>(columns >= 16 ? 0xFFFFU : columns <= 0 ? 0U : (1U << columns) - 1);
}

/// `count` bytes, up to 4, from `from` on in all lanes, the others zeros.
OCTAVO_INLINE __m512i broadcast_up_to_4(const std::uint8_t* from, std::int64_t count) {
  std::int32_t bytes = 0;
  __builtin_memcpy(&bytes, from, static_cast<std::size_t>(count));
  return _mm512_set1_epi32(bytes);
}

/// The sum of a row's `k` bytes as u8.
std::int32_t row_sum(const std::uint8_t* a, std::int64_t k, std::uint8_t flip) {
  const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
  __m512i sums = _mm512_setzero_si512();
  for (std::int64_t i = 0; i < k; i += 64) {
    const __mmask64 there = k - i >= 64 ? ~0ULL : (1ULL << (k - i)) - 1;
    const __m512i bytes = _mm512_xor_si512(_mm512_maskz_loadu_epi8(there, a + i), flips);
    sums =
        _mm512_add_epi64(sums, _mm512_sad_epu8(_mm512_maskz_mov_epi8(there, bytes), _mm512_setzero_si512()));
  }
  return static_cast<std::int32_t>(_mm512_reduce_add_epi64(sums));
}

/// 16 sums to results from column `first` on.
OCTAVO_INLINE void store(const MatmulBlock& b, __m512i sum, std::int64_t row, std::int64_t first) {
  const __mmask16 there = mask_of(b.columns - first);
  std::uint8_t* const y = b.y + row * b.y_stride;
  if (b.multiplier == nullptr) {
    _mm512_mask_storeu_epi32(y + 4 * first, there, sum);
    return;
  }
  __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(b.multiplier + first));
  v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(b.lowest)), _mm512_set1_ps(b.highest));
  const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(b.y_zero));
  _mm_mask_storeu_epi8(y + first, there, _mm512_cvtepi32_epi8(q));
}

template <int R>
void multiply(const MatmulBlock& b, std::int64_t first) {
  __m512i sum[R][4];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    for (std::int64_t j = 0; j < 4; ++j) sum[r][j] = _mm512_loadu_si512(b.start + 16 * j);
  }
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(b.a_flip));
  const std::uint8_t* const a = b.a + first * b.k;
  const std::int8_t* panel = b.panel;
  const auto add_group = [&](const auto& load) __attribute__((always_inline)) {
    __m512i columns[4];
#pragma GCC unroll 4
    for (std::int64_t j = 0; j < 4; ++j) columns[j] = _mm512_loadu_si512(panel + 64 * j);
#pragma GCC unroll 6
    for (std::int64_t r = 0; r < R; ++r) {
      const __m512i x = _mm512_xor_si512(load(a + r * b.k), flip);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) sum[r][j] = with_products(sum[r][j], x, columns[j]);
    }
    panel += 256;
  };
  std::int64_t at = 0;
  for (; at + 4 <= b.k; at += 4)
    add_group([&](const std::uint8_t* row) __attribute__((always_inline)) { return broadcast4(row + at); });
  if (at < b.k) {
    add_group([&](const std::uint8_t* row)
                  __attribute__((always_inline)) { return broadcast_up_to_4(row + at, b.k - at); });
  }
#pragma GCC unroll 6
  for (std::int64_t r = 0; r < R; ++r) {
    if (b.b_zero != nullptr) {
      const __m512i of_row = _mm512_set1_epi32(row_sum(a + r * b.k, b.k, b.a_flip));
#pragma GCC unroll 4
      for (std::int64_t j = 0; j < 4; ++j) {
        const __m512i zero = _mm512_loadu_si512(b.b_zero + 16 * j);
        sum[r][j] = _mm512_sub_epi32(sum[r][j], _mm512_mullo_epi32(of_row, zero));
      }
    }
#pragma GCC unroll 4
    for (std::int64_t j = 0; j < 4; ++j) store(b, sum[r][j], first + r, 16 * j);
  }
}

}  // namespace

void pack_matmul_panel_avx512_vnni(const MatmulColumns& b, std::int8_t* panel) {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(b.flip));
  __m512i sums[4] = {};
  const __m512i ones = _mm512_set1_epi8(1);
  for (std::int64_t k = 0; k < b.k; k += 4) {
#pragma GCC unroll 4
    for (std::int64_t j = 0; j < 4; ++j) {
      const __mmask16 there = mask_of(b.columns - 16 * j);
      const auto row = [&](std::int64_t i) {
        if (k + i >= b.k) return _mm_setzero_si128();
        return _mm_xor_si128(_mm_maskz_loadu_epi8(there, b.b + (k + i) * b.stride + 16 * j), flips);
      };
      const __m128i r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3);
      const __m128i low01 = _mm_unpacklo_epi8(r0, r1), high01 = _mm_unpackhi_epi8(r0, r1);
      const __m128i low23 = _mm_unpacklo_epi8(r2, r3), high23 = _mm_unpackhi_epi8(r2, r3);
      __m512i group = _mm512_castsi128_si512(_mm_unpacklo_epi16(low01, low23));
      group = _mm512_inserti32x4(group, _mm_unpackhi_epi16(low01, low23), 1);
      group = _mm512_inserti32x4(group, _mm_unpacklo_epi16(high01, high23), 2);
      group = _mm512_inserti32x4(group, _mm_unpackhi_epi16(high01, high23), 3);
      _mm512_storeu_si512(panel + 64 * j, group);
      sums[j] = with_products(sums[j], ones, group);
    }
    panel += 256;
  }
  for (std::int64_t j = 0; j < 4; ++j) _mm512_storeu_si512(panel + 64 * j, sums[j]);
}

void multiply_matmul_panel_avx512_vnni(const MatmulBlock& b) {
  std::int64_t row = 0;
  for (; row + kRows <= b.rows; row += kRows) multiply<kRows>(b, row);
  switch (b.rows - row) {
    case 1:
      return multiply<1>(b, row);
    case 2:
      return multiply<2>(b, row);
    case 3:
      return multiply<3>(b, row);
    case 4:
      return multiply<4>(b, row);
    case 5:
      return multiply<5>(b, row);
    default:
      return;
  }
}

}  // namespace octavo
