#include <immintrin.h>

#include "engine/kernels/pool/window_u8.h"

namespace octavo {

void max_window_avx512(const WindowU8& w, std::uint8_t* y) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(w.flip));
  for (std::int64_t c = 0; c < w.channels; c += 64) {
    const std::int64_t left = w.channels - c;
    const __mmask64 mask = left >= 64 ? ~0ULL : (1ULL << left) - 1;
    __m512i most = _mm512_setzero_si512();
    for (std::int64_t row = 0; row < w.rows; ++row) {
      const std::uint8_t* x = w.x + row * w.row_step + c;
      for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
        most = _mm512_max_epu8(most, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x), flip));
      }
    }
    _mm512_mask_storeu_epi8(y + c, mask, _mm512_xor_si512(most, flip));
  }
}

void average_window_avx512(const WindowU8& w, const AverageU8& p, std::uint8_t* y) {
  const __m512 factor = _mm512_set1_ps(p.factor);
  const __m128i flip = _mm_set1_epi8(static_cast<char>(w.flip));
  for (std::int64_t c = 0; c < w.channels; c += 16) {
    const std::int64_t left = w.channels - c;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1);
    __m512i sums = _mm512_set1_epi32(p.offset);
    for (std::int64_t row = 0; row < w.rows; ++row) {
      const std::uint8_t* x = w.x + row * w.row_step + c;
      for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
        const __m128i q = _mm_xor_si128(_mm_maskz_loadu_epi8(mask, x), flip);
        sums = _mm512_add_epi32(sums, _mm512_cvtepu8_epi32(q));
      }
    }
    const __m512 s = _mm512_cvtepi32_ps(sums);
    __m512 v = p.divide != 0 ? _mm512_div_ps(s, factor) : _mm512_mul_ps(s, factor);
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
    const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(p.zero_point));
    _mm_mask_storeu_epi8(y + c, mask, _mm_xor_si128(_mm512_cvtepi32_epi8(q), flip));
  }
}

void average_reals_of_window_avx512(const WindowU8& w, const AverageReals& p, std::uint8_t* y) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(w.flip));
  const __m512i zero_point = _mm512_set1_epi32(p.x_zero_point);
  for (std::int64_t c = 0; c < w.channels; c += 16) {
    const std::int64_t left = w.channels - c;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1);
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t row = 0; row < w.rows; ++row) {
      const std::uint8_t* x = w.x + row * w.row_step + c;
      for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
        const __m128i q = _mm_xor_si128(_mm_maskz_loadu_epi8(mask, x), flip);
        const __m512 real = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(q), zero_point));
        sum = _mm512_add_ps(sum, _mm512_mul_ps(real, _mm512_set1_ps(p.x_scale)));
      }
    }
    __m512 v = _mm512_div_ps(_mm512_div_ps(sum, _mm512_set1_ps(p.count)), _mm512_set1_ps(p.y_scale));
    v = _mm512_add_ps(v, _mm512_set1_ps(p.y_zero_point));
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
    _mm_mask_storeu_epi8(y + c, mask, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(v)));
  }
}

}  // namespace octavo
