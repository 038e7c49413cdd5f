#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "engine/embedding/bag_block.h"

namespace octavo {
namespace {

inline __mmask16 first_lanes(std::int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : (1 << count) - 1);
}

inline float float_at(const std::uint8_t* from) {
  float value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline float half_at(const std::uint8_t* from) {
  std::uint16_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits)));
}

/// Sums of the formats with an element a lane: 16 elements from `i` on.
template <class Value>
inline void sum_lanes(const BagTable& t, const std::int64_t* rows, std::int64_t count, float* dst,
                      const Value& value) {
  for (std::int64_t i = 0; i < t.dim; i += 16) {
    const __mmask16 there = first_lanes(t.dim - i);
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t j = 0; j < count; ++j)
      sum = _mm512_add_ps(sum, value(t.rows + rows[j] * t.row_bytes, i, there));
    _mm512_mask_storeu_ps(dst + i, there, sum);
  }
}

/// Sums of the 4-bit formats: 16 low and 16 high nibbles at a time.
template <class Value>
inline void sum_nibbles(const BagTable& t, const std::int64_t* rows, std::int64_t count, float* dst,
                        const Value& value) {
  const std::int64_t half = (t.dim + 1) / 2;
  for (std::int64_t i = 0; i < half; i += 16) {
    const __mmask16 low_there = first_lanes(half - i);
    const std::int64_t high_left = t.dim - half - i;
    const __mmask16 high_there = high_left > 0 ? first_lanes(high_left) : static_cast<__mmask16>(0);
    __m512 low = _mm512_setzero_ps(), high = _mm512_setzero_ps();
    for (std::int64_t j = 0; j < count; ++j) {
      const std::uint8_t* const row = t.rows + rows[j] * t.row_bytes;
      const __m512i q = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(low_there, row + i));
      low = _mm512_add_ps(low, value(row, _mm512_and_si512(q, _mm512_set1_epi32(15))));
      high = _mm512_add_ps(high, value(row, _mm512_srli_epi32(q, 4)));
    }
    _mm512_mask_storeu_ps(dst + i, low_there, low);
    _mm512_mask_storeu_ps(dst + half + i, high_there, high);
  }
}

inline __m512 bytes_at(const std::uint8_t* row, std::int64_t i, __mmask16 there) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(there, row + i)));
}

}  // namespace

void bag_sum_avx512(const BagTable& t, const std::int64_t* rows, std::int64_t count, float* dst) {
  switch (t.format) {
    case kF32:
      return sum_lanes(t, rows, count, dst, [](const std::uint8_t* row, std::int64_t i, __mmask16 there) {
        return _mm512_maskz_loadu_ps(there, row + 4 * i);
      });
    case kF16:
      return sum_lanes(t, rows, count, dst, [](const std::uint8_t* row, std::int64_t i, __mmask16 there) {
        return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(there, row + 2 * i));
      });
    case kS8Table:
      return sum_lanes(t, rows, count, dst, [&t](const std::uint8_t* row, std::int64_t i, __mmask16 there) {
        return _mm512_mul_ps(_mm512_set1_ps(t.scale), bytes_at(row, i, there));
      });
    case kS8Row:
      return sum_lanes(t, rows, count, dst, [&t](const std::uint8_t* row, std::int64_t i, __mmask16 there) {
        return _mm512_mul_ps(_mm512_set1_ps(float_at(row + t.dim)), bytes_at(row, i, there));
      });
    case kS4Row:
      return sum_nibbles(t, rows, count, dst, [&t](const std::uint8_t* row, __m512i q) {
        const std::uint8_t* const tail = row + (t.dim + 1) / 2;
        return _mm512_fmadd_ps(_mm512_set1_ps(half_at(tail)), _mm512_cvtepi32_ps(q),
                               _mm512_set1_ps(half_at(tail + 2)));
      });
    case kS4Codebook: {
      const __m512i codebook =
          _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(t.codebook)));
      return sum_nibbles(t, rows, count, dst, [&t, codebook](const std::uint8_t*, __m512i q) {
        return _mm512_mul_ps(_mm512_set1_ps(t.scale),
                             _mm512_cvtepi32_ps(_mm512_permutexvar_epi32(q, codebook)));
      });
    }
    default:
      return;
  }
}

}  // namespace octavo
