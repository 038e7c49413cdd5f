#include <immintrin.h>

#include "engine/kernels/convert/quantize_u8.h"

namespace octavo {
namespace {

/// Elements that are asked for ahead: 2 KiB of each plane.
constexpr std::int64_t kAhead = 512;

__mmask16 mask_of(std::int64_t left) {
  return static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1);
}

/// Results in the low bytes.
__m512i sixteen(const QuantizeU8& p, const float* x, __mmask16 mask) {
  const __m512 factor = _mm512_set1_ps(p.factor);
  __m512 v = _mm512_maskz_loadu_ps(mask, x);
  v = p.divide != 0 ? _mm512_div_ps(v, factor) : _mm512_mul_ps(v, factor);
  // max gives its second operand for a NaN: the lowest value.
  v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(p.zero_point));
}

/// Three planes' results side by side in 32 bits for each pixel.
__m512i sixteen_pixels(const QuantizeU8& p, const float* x, std::int64_t plane, __mmask16 mask) {
  // The hardware's prefetcher stops at the end of a page, which each of the planes soon comes to.
  for (std::int64_t c = 0; c < 3; ++c) _mm_prefetch(x + c * plane + kAhead, _MM_HINT_T0);
  const __m512i r = sixteen(p, x, mask), g = sixteen(p, x + plane, mask), b = sixteen(p, x + 2 * plane, mask);
  const __m512i two = _mm512_mask_blend_epi8(0x2222222222222222, r, _mm512_slli_epi32(g, 8));
  return _mm512_mask_blend_epi8(0x4444444444444444, two, _mm512_slli_epi32(b, 16));
}

}  // namespace

void quantize_u8_avx512(const QuantizeU8& p, const float* x, std::uint8_t* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 mask = mask_of(count - i);
    _mm_mask_storeu_epi8(y + i, mask, _mm512_cvtepi32_epi8(sixteen(p, x + i, mask)));
  }
}

void quantize_pixels_avx512(const QuantizeU8& p, const float* x, std::int64_t plane, std::uint8_t* y,
                            std::int64_t count) {
  // The fourth bytes are squeezed out of each 128-bit lane and the lanes' 12 bytes moved together.
  const __m512i squeeze =
      _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  const __m512i together = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
  for (std::int64_t i = 0; i < count; i += 16) {
    const std::int64_t left = count - i >= 16 ? 16 : count - i;
    const __mmask16 mask = mask_of(left);
    const __m512i pixels = sixteen_pixels(p, x + i, plane, mask);
    const __m512i bytes = _mm512_permutexvar_epi32(together, _mm512_shuffle_epi8(pixels, squeeze));
    _mm512_mask_storeu_epi8(y + 3 * i, (1ULL << (3 * left)) - 1, bytes);
  }
}

void quantize_pairs_avx512(const QuantizeU8& p, const float* x, std::int64_t plane, std::uint8_t* y,
                           std::int64_t count, std::int64_t pair) {
  const __m512i first = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
  const __m512i second = _mm512_setr_epi64(4, 4, 5, 5, 6, 6, 7, 7);
  // By dword, the second of each two pairs being none.
  constexpr int kNone = 16;
  const __m512i pixel =
      _mm512_setr_epi32(0, 1, kNone, kNone, 2, 3, kNone, kNone, 4, 5, kNone, kNone, 6, 7, kNone, kNone);
  for (std::int64_t i = 0; i < count; i += 16, y += 8 * pair) {
    const int left = static_cast<int>(count - i < 16 ? count - i : 16);
    const __m512i pixels = sixteen_pixels(p, x + i, plane, mask_of(left));
    if (pair == 8) {
      _mm512_mask_storeu_epi32(y, mask_of(left), pixels);
      continue;
    }
    const auto there = [&](int pixels_left) {
      return _mm512_cmplt_epi32_mask(pixel, _mm512_set1_epi32(pixels_left));
    };
    _mm512_mask_storeu_epi32(y, there(left), _mm512_permutexvar_epi64(first, pixels));
    _mm512_mask_storeu_epi32(y + 64, there(left - 8), _mm512_permutexvar_epi64(second, pixels));
  }
}

void dequantize_u8_avx512(const DequantizeU8& d, const std::uint8_t* x, float* y, std::int64_t count) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(d.flip));
  for (std::int64_t i = 0; i < count; i += 16) {
    const __mmask16 mask = mask_of(count - i);
    const __m512i q = _mm512_cvtepu8_epi32(_mm_xor_si128(_mm_maskz_loadu_epi8(mask, x + i), flip));
    const __m512 v = _mm512_cvtepi32_ps(_mm512_sub_epi32(q, _mm512_set1_epi32(d.zero_point)));
    _mm512_mask_storeu_ps(y + i, mask, _mm512_mul_ps(v, _mm512_set1_ps(d.scale)));
  }
}

}  // namespace octavo
