#include <immintrin.h>

#include <cstdint>

#include "engine/embedding/feature_block.h"

namespace octavo {
namespace {

/// How many samples ahead rows are asked for: more gained nothing (docs/performance.md).
constexpr std::int64_t kAhead = 4;
// The number of RowFormat::s8_table.
constexpr std::int32_t kS8Table = 2;

inline __mmask64 first_bytes(std::int64_t count) {
  return count >= 64 ? ~0ULL : count <= 0 ? 0ULL : (1ULL << count) - 1;
}

inline void gather_row(const BagTable& t, const std::uint8_t* row, std::int8_t* dst) {
  if (t.format == kS8Table) {
    for (std::int64_t i = 0; i < t.dim; i += 64) {
      const __mmask64 there = first_bytes(t.dim - i);
      _mm512_mask_storeu_epi8(dst + i, there, _mm512_maskz_loadu_epi8(there, row + i));
    }
    return;
  }
  const __m512i codebook =
      _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(t.codebook)));
  const __m512i fifteen = _mm512_set1_epi8(15);
  const std::int64_t half = (t.dim + 1) / 2;
  for (std::int64_t i = 0; i < half; i += 64) {
    const __mmask64 low = first_bytes(half - i), high = first_bytes(t.dim - half - i);
    const __m512i q = _mm512_maskz_loadu_epi8(low, row + i);
    _mm512_mask_storeu_epi8(dst + i, low, _mm512_shuffle_epi8(codebook, _mm512_and_si512(q, fifteen)));
    _mm512_mask_storeu_epi8(
        dst + half + i, high,
        _mm512_shuffle_epi8(codebook, _mm512_and_si512(_mm512_srli_epi16(q, 4), fifteen)));
  }
}

inline void prefetch_row(const BagTable& t, std::int64_t index) {
  const std::uint8_t* const row = t.rows + index * t.row_bytes;
  _mm_prefetch(reinterpret_cast<const char*>(row), _MM_HINT_T0);
  for (std::int64_t byte = 64; byte < t.row_bytes; byte += 64)
    _mm_prefetch(reinterpret_cast<const char*>(row + byte), _MM_HINT_T0);
}

}  // namespace

void gather_features_avx512(const FeatureWork& w) {
  const std::int64_t known = w.samples + w.samples_behind;
  for (std::int64_t sample = 0; sample < w.samples; ++sample) {
    for (const FeatureTable* t = w.tables; t != w.tables + w.table_count; ++t) {
      const std::int64_t* const indices = w.indices + t->number * w.index_stride;
      if (sample + kAhead < known) prefetch_row(t->bag, indices[sample + kAhead]);
      gather_row(t->bag, t->bag.rows + indices[sample] * t->bag.row_bytes,
                 w.features + sample * w.sample_bytes + t->place);
    }
  }
}

void quantize_features_avx512(const float* values, std::int64_t count, float inverse_scale,
                              std::int8_t* dst) {
  const __m512 lowest = _mm512_set1_ps(-127.0F), highest = _mm512_set1_ps(127.0F);
  for (std::int64_t i = 0; i < count; i += 16) {
    const std::int64_t left = count - i;
    const auto there = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
    const __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(there, values + i), _mm512_set1_ps(inverse_scale));
    const __m512 nearest = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512i q = _mm512_cvtps_epi32(_mm512_min_ps(highest, _mm512_max_ps(nearest, lowest)));
    _mm_mask_storeu_epi8(dst + i, there, _mm512_cvtepi32_epi8(q));
  }
}

}  // namespace octavo
