#include <immintrin.h>

#include <cstddef>

#include "engine/kernels/pool/window_u8.h"

namespace octavo {
namespace {

__m256i largest(const WindowU8& w, std::int64_t c) {
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(w.flip));
  __m256i most = _mm256_setzero_si256();
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* x = w.x + row * w.row_step + c;
    for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
      const __m256i q = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
      most = _mm256_max_epu8(most, _mm256_xor_si256(q, flip));
    }
  }
  return _mm256_xor_si256(most, flip);
}

__m256i sums_of_eight(const WindowU8& w, std::int64_t c) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(w.flip));
  __m256i sums = _mm256_setzero_si256();
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* x = w.x + row * w.row_step + c;
    for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
      const __m128i q = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(x));
      sums = _mm256_add_epi32(sums, _mm256_cvtepu8_epi32(_mm_xor_si128(q, flip)));
    }
  }
  return sums;
}

/// Eight averages in the low half.
__m128i averages(__m256i sums, const AverageU8& p, std::uint8_t flip) {
  const __m256 s = _mm256_cvtepi32_ps(_mm256_add_epi32(sums, _mm256_set1_epi32(p.offset)));
  const __m256 factor = _mm256_set1_ps(p.factor);
  __m256 v = p.divide != 0 ? _mm256_div_ps(s, factor) : _mm256_mul_ps(s, factor);
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(p.lowest)), _mm256_set1_ps(p.highest));
  const __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(p.zero_point));
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
  return _mm_xor_si128(_mm_packus_epi16(words, words), _mm_set1_epi8(static_cast<char>(flip)));
}

/// `count` bytes, at most 8, in the low half.
__m128i load_up_to_eight(const std::uint8_t* from, std::int64_t count) {
  if (count == 8) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  std::uint64_t bytes = 0;
  __builtin_memcpy(&bytes, from, static_cast<std::size_t>(count));
  return _mm_cvtsi64_si128(static_cast<std::int64_t>(bytes));
}

/// `channels` averages, at most 8, from channel `c` on, in the low half.
__m128i averages_of_reals(const WindowU8& w, const AverageReals& p, std::int64_t c, std::int64_t channels) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(w.flip));
  const __m256i zero_point = _mm256_set1_epi32(p.x_zero_point);
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* x = w.x + row * w.row_step + c;
    for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
      const __m128i q = _mm_xor_si128(load_up_to_eight(x, channels), flip);
      const __m256 real = _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_cvtepu8_epi32(q), zero_point));
      sum = _mm256_add_ps(sum, _mm256_mul_ps(real, _mm256_set1_ps(p.x_scale)));
    }
  }
  __m256 v = _mm256_div_ps(_mm256_div_ps(sum, _mm256_set1_ps(p.count)), _mm256_set1_ps(p.y_scale));
  v = _mm256_add_ps(v, _mm256_set1_ps(p.y_zero_point));
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(p.lowest)), _mm256_set1_ps(p.highest));
  const __m256i q = _mm256_cvtps_epi32(v);
  const __m128i words = _mm_and_si128(
      _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1)), _mm_set1_epi16(0xff));
  return _mm_packus_epi16(words, words);
}

void max_window(const WindowU8& w, std::uint8_t* y) {
  std::int64_t c = 0;
  for (; c + 32 <= w.channels; c += 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + c), largest(w, c));
  }
  for (; c < w.channels; ++c) {
    int most = 0;
    for (std::int64_t row = 0; row < w.rows; ++row) {
      for (std::int64_t column = 0; column < w.columns; ++column) {
        const int q = w.x[row * w.row_step + column * w.column_step + c] ^ w.flip;
        most = q > most ? q : most;
      }
    }
    y[c] = static_cast<std::uint8_t>(most ^ w.flip);
  }
}

}  // namespace

void max_windows_avx2(const WindowU8& first, const WindowRun& run, std::uint8_t* y) {
  WindowU8 w = first;
  for (std::int64_t i = 0; i < run.count; ++i, w.x += run.x_step, y += run.y_step) max_window(w, y);
}

void average_window_avx2(const WindowU8& w, const AverageU8& average, std::uint8_t* y) {
  std::int64_t c = 0;
  for (; c + 8 <= w.channels; c += 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(y + c), averages(sums_of_eight(w, c), average, w.flip));
  }
  if (c == w.channels) return;
  std::int32_t sums[8] = {};
  for (std::int64_t row = 0; row < w.rows; ++row) {
    for (std::int64_t column = 0; column < w.columns; ++column) {
      const std::uint8_t* x = w.x + row * w.row_step + column * w.column_step;
      for (std::int64_t k = c; k < w.channels; ++k) sums[k - c] += x[k] ^ w.flip;
    }
  }
  std::uint8_t end[16];
  const __m256i in_lanes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(end), averages(in_lanes, average, w.flip));
  for (std::int64_t k = c; k < w.channels; ++k) y[k] = end[k - c];
}

void average_reals_of_window_avx2(const WindowU8& w, const AverageReals& average, std::uint8_t* y) {
  for (std::int64_t c = 0; c < w.channels; c += 8) {
    const std::int64_t channels = w.channels - c < 8 ? w.channels - c : 8;
    const std::int64_t results = _mm_cvtsi128_si64(averages_of_reals(w, average, c, channels));
    __builtin_memcpy(y + c, &results, static_cast<std::size_t>(channels));
  }
}

}  // namespace octavo
