#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "engine/embedding/bag_block.h"

namespace octavo {
namespace {

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

/// 8 bytes from `from`, of which `count` may be read.
inline __m128i bytes_at(const std::uint8_t* from, std::int64_t count) {
  if (count >= 8) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, from, static_cast<std::size_t>(count));
  return _mm_cvtsi64_si128(static_cast<long long>(bytes));
}

inline __m256 floats_at(const std::uint8_t* from, std::int64_t count) {
  if (count >= 8) return _mm256_loadu_ps(reinterpret_cast<const float*>(from));
  alignas(32) float values[8] = {};
  std::memcpy(values, from, static_cast<std::size_t>(count) * 4);
  return _mm256_load_ps(values);
}

inline __m256 halves_at(const std::uint8_t* from, std::int64_t count) {
  if (count >= 8) return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  alignas(16) std::uint16_t bits[8] = {};
  std::memcpy(bits, from, static_cast<std::size_t>(count) * 2);
  return _mm256_cvtph_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(bits)));
}

inline __m256 signed_bytes(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)); }

inline void store(float* to, std::int64_t count, __m256 values) {
  if (count >= 8) return _mm256_storeu_ps(to, values);
  alignas(32) float each[8];
  _mm256_store_ps(each, values);
  if (count > 0) std::memcpy(to, each, static_cast<std::size_t>(count) * 4);
}

/// Sums of the formats with an element a lane.
template <class Value>
inline void sum_lanes(const BagTable& t, const std::int64_t* rows, std::int64_t count, float* dst,
                      const Value& value) {
  for (std::int64_t i = 0; i < t.dim; i += 8) {
    __m256 sum = _mm256_setzero_ps();
    for (std::int64_t j = 0; j < count; ++j)
      sum = _mm256_add_ps(sum, value(t.rows + rows[j] * t.row_bytes, i, t.dim - i));
    store(dst + i, t.dim - i, sum);
  }
}

/// Sums of the 4-bit formats: 8 low and 8 high nibbles at a time.
template <class Value>
inline void sum_nibbles(const BagTable& t, const std::int64_t* rows, std::int64_t count, float* dst,
                        const Value& value) {
  const std::int64_t half = (t.dim + 1) / 2;
  for (std::int64_t i = 0; i < half; i += 8) {
    __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
    for (std::int64_t j = 0; j < count; ++j) {
      const std::uint8_t* const row = t.rows + rows[j] * t.row_bytes;
      const __m128i q = bytes_at(row + i, half - i);
      const __m128i fifteen = _mm_set1_epi8(15);
      low = _mm256_add_ps(low, value(row, _mm_and_si128(q, fifteen)));
      high = _mm256_add_ps(high, value(row, _mm_and_si128(_mm_srli_epi16(q, 4), fifteen)));
    }
    store(dst + i, half - i, low);
    store(dst + half + i, t.dim - half - i, high);
  }
}

}  // namespace

void bag_sum_avx2(const BagTable& t, const std::int64_t* rows, std::int64_t count, float* dst) {
  switch (t.format) {
    case kF32:
      return sum_lanes(t, rows, count, dst, [](const std::uint8_t* row, std::int64_t i, std::int64_t left) {
        return floats_at(row + 4 * i, left);
      });
    case kF16:
      return sum_lanes(t, rows, count, dst, [](const std::uint8_t* row, std::int64_t i, std::int64_t left) {
        return halves_at(row + 2 * i, left);
      });
    case kS8Table:
      return sum_lanes(t, rows, count, dst, [&t](const std::uint8_t* row, std::int64_t i, std::int64_t left) {
        return _mm256_mul_ps(_mm256_set1_ps(t.scale), signed_bytes(bytes_at(row + i, left)));
      });
    case kS8Row:
      return sum_lanes(t, rows, count, dst, [&t](const std::uint8_t* row, std::int64_t i, std::int64_t left) {
        return _mm256_mul_ps(_mm256_set1_ps(float_at(row + t.dim)), signed_bytes(bytes_at(row + i, left)));
      });
    case kS4Row:
      return sum_nibbles(t, rows, count, dst, [&t](const std::uint8_t* row, __m128i q) {
        const std::uint8_t* const tail = row + (t.dim + 1) / 2;
        return _mm256_fmadd_ps(_mm256_set1_ps(half_at(tail)), signed_bytes(q),
                               _mm256_set1_ps(half_at(tail + 2)));
      });
    case kS4Codebook: {
      const __m128i codebook = _mm_loadu_si128(reinterpret_cast<const __m128i*>(t.codebook));
      return sum_nibbles(t, rows, count, dst, [&t, codebook](const std::uint8_t*, __m128i q) {
        return _mm256_mul_ps(_mm256_set1_ps(t.scale), signed_bytes(_mm_shuffle_epi8(codebook, q)));
      });
    }
    default:
      return;
  }
}

}  // namespace octavo
