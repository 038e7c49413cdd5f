#include <immintrin.h>

#include <cstddef>

#include "engine/kernels/matmul/panel_block.h"

namespace octavo {
namespace {

// Pairs of s16: vpmaddwd's sums of two products are exact, those of vpmaddubsw would saturate.

constexpr int kRows = 6;  // x 2 vectors of 8 columns = 12 sums, 2 of b, one of a

__m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

/// 8 sums to results from column `first` on.
void store(const MatmulBlock& b, __m256i sum, std::int64_t row, std::int64_t first) {
  const std::int64_t left = b.columns - first, count = left < 0 ? 0 : left < 8 ? left : 8;
  std::uint8_t* const y = b.y + row * b.y_stride;
  if (b.multiplier == nullptr) {
    alignas(32) std::int32_t sums[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(sums), sum);
    __builtin_memcpy(y + 4 * first, sums, static_cast<std::size_t>(4 * count));
    return;
  }
  __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(b.multiplier + first));
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(b.lowest)), _mm256_set1_ps(b.highest));
  const __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(b.y_zero));
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
  const __m128i bytes = _mm_and_si128(words, _mm_set1_epi16(0xFF));
  const std::int64_t results = _mm_cvtsi128_si64(_mm_packus_epi16(bytes, bytes));
  __builtin_memcpy(y + first, &results, static_cast<std::size_t>(count));
}

/// The sum of a row's `k` bytes as u8.
std::int32_t row_sum(const std::uint8_t* a, std::int64_t k, std::uint8_t flip) {
  const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
  __m256i sums = _mm256_setzero_si256();
  std::int64_t i = 0;
  for (; i + 32 <= k; i += 32)
    sums =
        _mm256_add_epi64(sums, _mm256_sad_epu8(_mm256_xor_si256(load(a + i), flips), _mm256_setzero_si256()));
  alignas(32) std::int64_t parts[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(parts), sums);
  std::int64_t sum = parts[0] + parts[1] + parts[2] + parts[3];
  for (; i < k; ++i) sum += a[i] ^ flip;
  return static_cast<std::int32_t>(sum);
}

/// `count` bytes, 1 or 2, as s16 side by side in all lanes.
template <int count>
__m256i broadcast_pair(const std::uint8_t* from, __m128i flip) {
  std::int16_t bytes = 0;
  __builtin_memcpy(&bytes, from, count);
  return _mm256_cvtepu8_epi16(_mm_xor_si128(_mm_set1_epi16(bytes), flip));
}

template <int R>
void multiply(const MatmulBlock& b, std::int64_t first) {
  __m256i sum[R][2];
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    sum[r][0] = load(b.start);
    sum[r][1] = load(b.start + 8);
  }
  const __m128i flip = _mm_set1_epi8(static_cast<char>(b.a_flip));
  const std::uint8_t* const a = b.a + first * b.k;
  const std::int8_t* panel = b.panel;
  const auto add_group = [&](const auto& pair) __attribute__((always_inline)) {
    const __m256i low = load(panel), high = load(panel + 32);
    panel += 64;
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m256i x = pair(a + r * b.k);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, low));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, high));
    }
  };
  std::int64_t at = 0;
  for (; at + 2 <= b.k; at += 2)
    add_group([&](const std::uint8_t* row) { return broadcast_pair<2>(row + at, flip); });
  if (at < b.k) add_group([&](const std::uint8_t* row) { return broadcast_pair<1>(row + at, flip); });
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
    if (b.b_zero != nullptr) {
      const __m256i of_row = _mm256_set1_epi32(row_sum(a + r * b.k, b.k, b.a_flip));
      sum[r][0] = _mm256_sub_epi32(sum[r][0], _mm256_mullo_epi32(of_row, load(b.b_zero)));
      sum[r][1] = _mm256_sub_epi32(sum[r][1], _mm256_mullo_epi32(of_row, load(b.b_zero + 8)));
    }
    store(b, sum[r][0], first + r, 0);
    store(b, sum[r][1], first + r, 8);
  }
}

}  // namespace

void pack_matmul_panel_avx2(const MatmulColumns& b, std::int8_t* panel) {
  const __m128i flips = _mm_set1_epi8(static_cast<char>(b.flip));
  __m256i sums[2] = {};
  const __m256i ones = _mm256_set1_epi16(1);
  const auto row = [&](std::int64_t k) {
    alignas(16) std::uint8_t bytes[16] = {};
    if (k >= b.k) return _mm256_setzero_si256();
    __builtin_memcpy(bytes, b.b + k * b.stride, static_cast<std::size_t>(b.columns));
    const __m128i stored = _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
    return _mm256_cvtepi8_epi16(_mm_xor_si128(stored, flips));
  };
  for (std::int64_t k = 0; k < b.k; k += 2, panel += 64) {
    const __m256i r0 = row(k), r1 = row(k + 1);
    const __m256i low = _mm256_unpacklo_epi16(r0, r1), high = _mm256_unpackhi_epi16(r0, r1);
    const __m256i group[2] = {_mm256_permute2x128_si256(low, high, 0x20),
                              _mm256_permute2x128_si256(low, high, 0x31)};
    for (std::int64_t j = 0; j < 2; ++j) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(panel + 32 * j), group[j]);
      sums[j] = _mm256_add_epi32(sums[j], _mm256_madd_epi16(group[j], ones));
    }
  }
  for (std::int64_t j = 0; j < 2; ++j)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(panel + 32 * j), sums[j]);
}

void multiply_matmul_panel_avx2(const MatmulBlock& b) {
  std::int64_t row = 0;
  for (; row + kRows <= b.rows; row += kRows) multiply<kRows>(b, row);
  for (; row + 2 <= b.rows; row += 2) multiply<2>(b, row);
  if (row < b.rows) multiply<1>(b, row);
}

}  // namespace octavo
