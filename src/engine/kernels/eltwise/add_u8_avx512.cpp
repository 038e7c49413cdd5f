#include <immintrin.h>

#include "engine/kernels/eltwise/add_u8.h"

namespace octavo {
namespace {

__m512 reals(const std::uint8_t* q, std::int32_t flip, __mmask16 mask) {
  const __m512i stored = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, q));
  const __m512i flips = _mm512_set1_epi32(flip);
  return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_xor_si512(stored, flips), flips));
}

void sixteen(const AddU8& p, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y, __mmask16 mask) {
  const __m512 a_scale = _mm512_set1_ps(p.a_scale), b_scale = _mm512_set1_ps(p.b_scale);
  const __m512 b_real = _mm512_fmadd_ps(reals(b, p.b_flip, mask), b_scale, _mm512_set1_ps(p.b_offset));
  __m512 v;
  if (p.ort != 0) {
    v = _mm512_fmadd_ps(reals(a, p.a_flip, mask), a_scale, b_real);
  } else {
    const __m512 a_real = _mm512_fmadd_ps(reals(a, p.a_flip, mask), a_scale, _mm512_set1_ps(p.a_offset));
    v = _mm512_mul_ps(_mm512_add_ps(a_real, b_real), _mm512_set1_ps(p.inverse));
  }
  // max and min give their second operand when one is a NaN: it becomes the lowest value, as in the
  // reference.
  v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
  const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(p.zero_point));
  _mm_mask_storeu_epi8(y, mask, _mm512_cvtepi32_epi8(q));
}

}  // namespace

void add_u8_avx512(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                   std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) sixteen(add, a + i, b + i, y + i, 0xffff);
  if (i < count) sixteen(add, a + i, b + i, y + i, static_cast<__mmask16>((1U << (count - i)) - 1));
}

}  // namespace octavo
