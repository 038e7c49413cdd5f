#include <immintrin.h>

#include <cstdint>

#include "engine/embedding/feature_block.h"

namespace octavo {
namespace {

// The number of RowFormat::s8_table.
constexpr std::int32_t kS8Table = 2;

inline __mmask64 first_bytes(std::int64_t count) {
  return count >= 64 ? ~0ULL : count <= 0 ? 0ULL : (1ULL << count) - 1;
}

/// Rows of bytes.
struct Bytes {
  explicit Bytes(const BagTable&) {}
  static constexpr std::int64_t row_bytes(std::int64_t dim) { return dim; }
  inline void copy_whole(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    for (std::int64_t i = 0; i < dim; i += 64) _mm512_storeu_si512(dst + i, _mm512_loadu_si512(row + i));
  }
  inline void copy(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    for (std::int64_t i = 0; i < dim; i += 64) {
      const __mmask64 there = first_bytes(dim - i);
      _mm512_mask_storeu_epi8(dst + i, there, _mm512_maskz_loadu_epi8(there, row + i));
    }
  }
};

/// Rows of nibbles, decoded.
struct Nibbles {
  __m512i codebook;

  explicit Nibbles(const BagTable& t)
      : codebook(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(t.codebook)))) {}
  static constexpr std::int64_t row_bytes(std::int64_t dim) { return (dim + 1) / 2; }
  [[nodiscard]] inline __m512i low(__m512i q) const {
    return _mm512_shuffle_epi8(codebook, _mm512_and_si512(q, _mm512_set1_epi8(15)));
  }
  [[nodiscard]] inline __m512i high(__m512i q) const { return low(_mm512_srli_epi16(q, 4)); }
  inline void copy_whole(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    for (std::int64_t i = 0; i < dim / 2; i += 64) {
      const __m512i q = _mm512_loadu_si512(row + i);
      _mm512_storeu_si512(dst + i, low(q));
      _mm512_storeu_si512(dst + dim / 2 + i, high(q));
    }
  }
  inline void copy(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    const std::int64_t half = (dim + 1) / 2;
    for (std::int64_t i = 0; i < half; i += 64) {
      const __mmask64 is_low = first_bytes(half - i), is_high = first_bytes(dim - half - i);
      const __m512i q = _mm512_maskz_loadu_epi8(is_low, row + i);
      _mm512_mask_storeu_epi8(dst + i, is_low, low(q));
      _mm512_mask_storeu_epi8(dst + half + i, is_high, high(q));
    }
  }
};

/// One table's rows. With `fixed_dim` > 0 that is the tables' dim and rows are whole vectors: without loops
/// and masks a row costs half.
template <class Rows, std::int64_t fixed_dim>
inline void gather_table(const FeatureWork& w, const FeatureTable& t) {
  const Rows rows(t.bag);
  const std::int64_t dim = fixed_dim > 0 ? fixed_dim : t.bag.dim, row_bytes = Rows::row_bytes(dim);
  const std::uint8_t* const from = t.bag.rows;
  const std::int64_t* const indices = w.indices + t.number * w.index_stride;
  const std::int64_t sample_bytes = w.sample_bytes;
  for (std::int64_t sample = w.samples; sample < w.samples + w.samples_ahead; ++sample) {
    for (std::int64_t byte = 0; byte < row_bytes; byte += 64)
      _mm_prefetch(reinterpret_cast<const char*>(from + indices[sample] * row_bytes + byte), _MM_HINT_T0);
  }
  std::int8_t* dst = w.features + t.place;
  for (std::int64_t sample = 0; sample < w.samples; ++sample, dst += sample_bytes) {
    const std::uint8_t* const row = from + indices[sample] * row_bytes;
    if constexpr (fixed_dim > 0) {
      rows.copy_whole(row, fixed_dim, dst);
    } else {
      rows.copy(row, dim, dst);
    }
  }
}

template <class Rows>
inline void gather_from(const FeatureWork& w, const FeatureTable& t) {
  if (t.bag.dim == 128) return gather_table<Rows, 128>(w, t);
  gather_table<Rows, 0>(w, t);
}

}  // namespace

void gather_features_avx512(const FeatureWork& w) {
  for (const FeatureTable* t = w.tables; t != w.tables + w.table_count; ++t)
    t->bag.format == kS8Table ? gather_from<Bytes>(w, *t) : gather_from<Nibbles>(w, *t);
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
