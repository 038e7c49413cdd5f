#include <immintrin.h>

#include "engine/kernels/pool/window_u8.h"

namespace octavo {
namespace {

__m256i largest(const WindowU8& w, std::int64_t c) {
  __m256i most = _mm256_setzero_si256();
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* x = w.x + row * w.row_step + c;
    for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
      most = _mm256_max_epu8(most, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
    }
  }
  return most;
}

__m256i sums_of_eight(const WindowU8& w, std::int64_t c) {
  __m256i sums = _mm256_setzero_si256();
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* x = w.x + row * w.row_step + c;
    for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
      const __m128i q = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(x));
      sums = _mm256_add_epi32(sums, _mm256_cvtepu8_epi32(q));
    }
  }
  return sums;
}

/// Eight averages in the low half.
__m128i averages(__m256i sums, const AverageU8& p) {
  const __m256 s = _mm256_cvtepi32_ps(_mm256_add_epi32(sums, _mm256_set1_epi32(p.offset)));
  const __m256 factor = _mm256_set1_ps(p.factor);
  __m256 v = p.divide != 0 ? _mm256_div_ps(s, factor) : _mm256_mul_ps(s, factor);
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(p.lowest)), _mm256_set1_ps(p.highest));
  const __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(p.zero_point));
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
  return _mm_packus_epi16(words, words);
}

}  // namespace

void max_window_avx2(const WindowU8& w, std::uint8_t* y) {
  std::int64_t c = 0;
  for (; c + 32 <= w.channels; c += 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + c), largest(w, c));
  }
  for (; c < w.channels; ++c) {
    std::uint8_t most = 0;
    for (std::int64_t row = 0; row < w.rows; ++row) {
      for (std::int64_t column = 0; column < w.columns; ++column) {
        const std::uint8_t q = w.x[row * w.row_step + column * w.column_step + c];
        most = q > most ? q : most;
      }
    }
    y[c] = most;
  }
}

void average_window_avx2(const WindowU8& w, const AverageU8& average, std::uint8_t* y) {
  std::int64_t c = 0;
  for (; c + 8 <= w.channels; c += 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(y + c), averages(sums_of_eight(w, c), average));
  }
  if (c == w.channels) return;
  std::int32_t sums[8] = {};
  for (std::int64_t row = 0; row < w.rows; ++row) {
    for (std::int64_t column = 0; column < w.columns; ++column) {
      const std::uint8_t* x = w.x + row * w.row_step + column * w.column_step;
      for (std::int64_t k = c; k < w.channels; ++k) sums[k - c] += x[k];
    }
  }
  std::uint8_t end[16];
  const __m256i in_lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(end), averages(in_lanes, average));
  for (std::int64_t k = c; k < w.channels; ++k) y[k] = end[k - c];
}

}  // namespace octavo
