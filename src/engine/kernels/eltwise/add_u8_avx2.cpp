#include <immintrin.h>

#include "engine/kernels/eltwise/add_u8.h"

namespace octavo {
namespace {

__m256 reals(const std::uint8_t* q, std::int32_t flip) {
  const __m256i stored = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(q)));
  const __m256i flips = _mm256_set1_epi32(flip);
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_xor_si256(stored, flips), flips));
}

void eight(const AddU8& p, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y) {
  const __m256 a_scale = _mm256_set1_ps(p.a_scale), b_scale = _mm256_set1_ps(p.b_scale);
  const __m256 b_real = _mm256_fmadd_ps(reals(b, p.b_flip), b_scale, _mm256_set1_ps(p.b_offset));
  __m256 v;
  if (p.ort != 0) {
    v = _mm256_fmadd_ps(reals(a, p.a_flip), a_scale, b_real);
  } else {
    const __m256 a_real = _mm256_fmadd_ps(reals(a, p.a_flip), a_scale, _mm256_set1_ps(p.a_offset));
    v = _mm256_mul_ps(_mm256_add_ps(a_real, b_real), _mm256_set1_ps(p.inverse));
  }
  // max and min give their second operand when one is a NaN: it becomes the lowest value, as in the
  // reference.
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(p.lowest)), _mm256_set1_ps(p.highest));
  const __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(p.zero_point));
  const __m128i words = _mm_and_si128(
      _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1)), _mm_set1_epi16(0xff));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(y), _mm_packus_epi16(words, words));
}

}  // namespace

void add_u8_avx2(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                 std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) eight(add, a + i, b + i, y + i);
  if (i == count) return;
  std::uint8_t a_end[8] = {}, b_end[8] = {}, y_end[8] = {};
  for (std::int64_t k = i; k < count; ++k) a_end[k - i] = a[k], b_end[k - i] = b[k];
  eight(add, a_end, b_end, y_end);
  for (std::int64_t k = i; k < count; ++k) y[k] = y_end[k - i];
}

}  // namespace octavo
