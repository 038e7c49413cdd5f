#include <immintrin.h>

#include "engine/kernels/pool/window_u8.h"

namespace octavo {

void max_window_avx512(const WindowU8& w, std::uint8_t* y) {
  for (std::int64_t c = 0; c < w.channels; c += 64) {
    const std::int64_t left = w.channels - c;
    const __mmask64 mask = left >= 64 ? ~0ULL : (1ULL << left) - 1;
    __m512i most = _mm512_setzero_si512();
    for (std::int64_t row = 0; row < w.rows; ++row) {
      const std::uint8_t* x = w.x + row * w.row_step + c;
      for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
        most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(mask, x));
      }
    }
    _mm512_mask_storeu_epi8(y + c, mask, most);
  }
}

void average_window_avx512(const WindowU8& w, const AverageU8& p, std::uint8_t* y) {
  const __m512 factor = _mm512_set1_ps(p.factor);
  for (std::int64_t c = 0; c < w.channels; c += 16) {
    const std::int64_t left = w.channels - c;
    const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1);
    __m512i sums = _mm512_set1_epi32(p.offset);
    for (std::int64_t row = 0; row < w.rows; ++row) {
      const std::uint8_t* x = w.x + row * w.row_step + c;
      for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
        sums = _mm512_add_epi32(sums, _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, x)));
      }
    }
    const __m512 s = _mm512_cvtepi32_ps(sums);
    __m512 v = p.divide != 0 ? _mm512_div_ps(s, factor) : _mm512_mul_ps(s, factor);
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
    const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(p.zero_point));
    _mm_mask_storeu_epi8(y + c, mask, _mm512_cvtepi32_epi8(q));
  }
}

}  // namespace octavo
