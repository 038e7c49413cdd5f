#include <immintrin.h>

#include "engine/kernels/convert/quantize_u8.h"

namespace octavo {
namespace {

/// Eight results in 32 bits each.
__m256i eight(const QuantizeU8& p, const float* x) {
  const __m256 factor = _mm256_set1_ps(p.factor);
  __m256 v = _mm256_loadu_ps(x);
  v = p.divide != 0 ? _mm256_div_ps(v, factor) : _mm256_mul_ps(v, factor);
  // max gives its second operand for a NaN: the lowest value.
  v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(p.lowest)), _mm256_set1_ps(p.highest));
  return _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(p.zero_point));
}

__m128i sixteen(const QuantizeU8& p, const float* x) {
  const __m256i words = _mm256_packs_epi32(eight(p, x), eight(p, x + 8));
  const __m256i in_order = _mm256_and_si256(_mm256_permute4x64_epi64(words, 0xd8), _mm256_set1_epi16(0xff));
  return _mm_packus_epi16(_mm256_castsi256_si128(in_order), _mm256_extracti128_si256(in_order, 1));
}

void store(std::uint8_t* y, __m128i bytes) { _mm_storeu_si128(reinterpret_cast<__m128i*>(y), bytes); }

/// Byte i of the three results is taken from plane i % 3.
void interleave(__m128i r, __m128i g, __m128i b, std::uint8_t* y) {
  const __m128i r0 = _mm_setr_epi8(0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5);
  const __m128i r1 = _mm_setr_epi8(-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1);
  const __m128i r2 = _mm_setr_epi8(-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1);
  const __m128i g0 = _mm_setr_epi8(-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1);
  const __m128i g1 = _mm_setr_epi8(5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10);
  const __m128i g2 = _mm_setr_epi8(-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1);
  const __m128i b0 = _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1);
  const __m128i b1 = _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1);
  const __m128i b2 = _mm_setr_epi8(10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15);
  const __m128i y0 = _mm_or_si128(_mm_shuffle_epi8(r, r0), _mm_shuffle_epi8(g, g0));
  const __m128i y1 = _mm_or_si128(_mm_shuffle_epi8(r, r1), _mm_shuffle_epi8(g, g1));
  const __m128i y2 = _mm_or_si128(_mm_shuffle_epi8(r, r2), _mm_shuffle_epi8(g, g2));
  store(y, _mm_or_si128(y0, _mm_shuffle_epi8(b, b0)));
  store(y + 16, _mm_or_si128(y1, _mm_shuffle_epi8(b, b1)));
  store(y + 32, _mm_or_si128(y2, _mm_shuffle_epi8(b, b2)));
}

}  // namespace

void quantize_u8_avx2(const QuantizeU8& p, const float* x, std::uint8_t* y, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) store(y + i, sixteen(p, x + i));
  if (i == count) return;
  float x_end[16] = {};
  std::uint8_t y_end[16];
  for (std::int64_t k = i; k < count; ++k) x_end[k - i] = x[k];
  store(y_end, sixteen(p, x_end));
  for (std::int64_t k = i; k < count; ++k) y[k] = y_end[k - i];
}

void quantize_pixels_avx2(const QuantizeU8& p, const float* x, std::int64_t plane, std::uint8_t* y,
                          std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    interleave(sixteen(p, x + i), sixteen(p, x + plane + i), sixteen(p, x + 2 * plane + i), y + 3 * i);
  }
  std::uint8_t end[16];
  for (std::int64_t c = 0; c < 3 && i < count; ++c) {
    quantize_u8_avx2(p, x + c * plane + i, end, count - i);
    for (std::int64_t k = i; k < count; ++k) y[3 * k + c] = end[k - i];
  }
}

void dequantize_u8_avx2(const DequantizeU8& d, const std::uint8_t* x, float* y, std::int64_t count) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(d.flip));
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(x + i));
    const __m256i q = _mm256_cvtepu8_epi32(_mm_xor_si128(bytes, flip));
    const __m256 v = _mm256_cvtepi32_ps(_mm256_sub_epi32(q, _mm256_set1_epi32(d.zero_point)));
    _mm256_storeu_ps(y + i, _mm256_mul_ps(v, _mm256_set1_ps(d.scale)));
  }
  for (; i < count; ++i) y[i] = static_cast<float>((x[i] ^ d.flip) - d.zero_point) * d.scale;
}

}  // namespace octavo
