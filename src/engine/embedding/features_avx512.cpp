#include <immintrin.h>

#include <cstdint>

#include "engine/embedding/feature_block.h"

namespace octavo {
namespace {

inline __mmask64 first_bytes(std::int64_t count) {
  return count >= 64 ? ~0ULL : count <= 0 ? 0ULL : (1ULL << count) - 1;
}

/// Rows of bytes that are vectors already.
struct Bytes {
  explicit Bytes(const FeatureTable&) {}
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

/// 64 nibbles through `codebook`, the same 16 bytes four times.
inline __m512i low_nibbles(__m512i codebook, __m512i q) {
  return _mm512_shuffle_epi8(codebook, _mm512_and_si512(q, _mm512_set1_epi8(15)));
}
inline __m512i high_nibbles(__m512i codebook, __m512i q) {
  return low_nibbles(codebook, _mm512_srli_epi16(q, 4));
}

inline void decode_whole(__m512i codebook, const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) {
  for (std::int64_t i = 0; i < dim / 2; i += 64) {
    const __m512i q = _mm512_loadu_si512(row + i);
    _mm512_storeu_si512(dst + i, low_nibbles(codebook, q));
    _mm512_storeu_si512(dst + dim / 2 + i, high_nibbles(codebook, q));
  }
}

inline void decode(__m512i codebook, const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) {
  const std::int64_t half = (dim + 1) / 2;
  for (std::int64_t i = 0; i < half; i += 64) {
    const __mmask64 is_low = first_bytes(half - i), is_high = first_bytes(dim - half - i);
    const __m512i q = _mm512_maskz_loadu_epi8(is_low, row + i);
    _mm512_mask_storeu_epi8(dst + i, is_low, low_nibbles(codebook, q));
    _mm512_mask_storeu_epi8(dst + half + i, is_high, high_nibbles(codebook, q));
  }
}

/// Rows of nibbles with one codebook.
struct Nibbles {
  __m512i codebook;

  explicit Nibbles(const FeatureTable& t)
      : codebook(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(t.codebook)))) {}
  static constexpr std::int64_t row_bytes(std::int64_t dim) { return (dim + 1) / 2; }
  inline void copy_whole(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    decode_whole(codebook, row, dim, dst);
  }
  inline void copy(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    decode(codebook, row, dim, dst);
  }
};

/// rint(values * inverse_scale), what exceeds 127 as 127 and what cannot be converted as the least s32.
inline __m512i nearest(__m512 values, __m512 inverse_scale) {
  const __m512 scaled = _mm512_mul_ps(values, inverse_scale);
  return _mm512_cvtps_epi32(_mm512_min_ps(_mm512_set1_ps(127.0F), scaled));
}

/// Stores what `nearest` gave, those that are `there`.
inline void store_nearest(std::int8_t* dst, __mmask16 there, __m512i q) {
  _mm_mask_storeu_epi8(dst, there, _mm_max_epi8(_mm512_cvtsepi32_epi8(q), _mm_set1_epi8(-127)));
}

/// Rows of nibbles with a scale and a bias each, two half floats behind them: all 16 values that a row can
/// hold are quantized, and are its codebook.
struct ScaledNibbles {
  __m512 inverse_scale;

  explicit ScaledNibbles(const FeatureTable& t) : inverse_scale(_mm512_set1_ps(t.inverse_scale)) {}
  static constexpr std::int64_t row_bytes(std::int64_t dim) { return (dim + 1) / 2 + 4; }
  [[nodiscard]] inline __m512i codebook_of(const std::uint8_t* tail) const {
    std::int32_t halves;
    __builtin_memcpy(&halves, tail, sizeof halves);
    const __m128 scale_and_bias = _mm_cvtph_ps(_mm_cvtsi32_si128(halves));
    const __m512 codes = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512 values = _mm512_fmadd_ps(_mm512_broadcastss_ps(scale_and_bias), codes,
                                          _mm512_broadcastss_ps(_mm_movehdup_ps(scale_and_bias)));
    const __m128i q = _mm512_cvtsepi32_epi8(nearest(values, inverse_scale));
    return _mm512_broadcast_i32x4(_mm_max_epi8(q, _mm_set1_epi8(-127)));
  }
  inline void copy_whole(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    decode_whole(codebook_of(row + dim / 2), row, dim, dst);
  }
  inline void copy(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    decode(codebook_of(row + (dim + 1) / 2), row, dim, dst);
  }
};

/// Rows with an element a lane, quantized.
template <BagFormat format>
struct Lanes {
  __m512 table_scale, inverse_scale;

  explicit Lanes(const FeatureTable& t)
      : table_scale(_mm512_set1_ps(t.bag.scale)), inverse_scale(_mm512_set1_ps(t.inverse_scale)) {}
  static constexpr std::int64_t row_bytes(std::int64_t dim) {
    return format == kF32 ? 4 * dim : format == kF16 ? 2 * dim : format == kS8Row ? dim + 4 : dim;
  }
  /// 16 elements from `i` on, those that are `there`, quantized.
  [[nodiscard]] inline __m512i at(const std::uint8_t* row, __m512 scale, std::int64_t i,
                                  __mmask16 there) const {
    if constexpr (format == kF32) {
      return nearest(_mm512_maskz_loadu_ps(there, row + 4 * i), inverse_scale);
    } else if constexpr (format == kF16) {
      return nearest(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(there, row + 2 * i)), inverse_scale);
    } else {
      const __m512i bytes = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(there, row + i));
      return nearest(_mm512_mul_ps(scale, _mm512_cvtepi32_ps(bytes)), inverse_scale);
    }
  }
  [[nodiscard]] inline __m512 scale_of(const std::uint8_t* row, std::int64_t dim) const {
    if constexpr (format == kS8Row) {
      float scale;
      __builtin_memcpy(&scale, row + dim, sizeof scale);
      return _mm512_set1_ps(scale);
    } else {
      return table_scale;
    }
  }
  inline void copy_whole(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    // Packing interleaves four vectors by fours of elements.
    const __m512i in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512 scale = scale_of(row, dim);
    for (std::int64_t i = 0; i < dim; i += 64) {
      const __m512i low = _mm512_packs_epi32(at(row, scale, i, 0xFFFF), at(row, scale, i + 16, 0xFFFF));
      const __m512i high = _mm512_packs_epi32(at(row, scale, i + 32, 0xFFFF), at(row, scale, i + 48, 0xFFFF));
      const __m512i q = _mm512_max_epi8(_mm512_packs_epi16(low, high), _mm512_set1_epi8(-127));
      _mm512_storeu_si512(dst + i, _mm512_permutexvar_epi32(in_order, q));
    }
  }
  inline void copy(const std::uint8_t* row, std::int64_t dim, std::int8_t* dst) const {
    const __m512 scale = scale_of(row, dim);
    for (std::int64_t i = 0; i < dim; i += 16) {
      const auto there = static_cast<__mmask16>(first_bytes(dim - i));
      store_nearest(dst + i, there, at(row, scale, i, there));
    }
  }
};

/// One table's rows. With `fixed_dim` > 0 that is the tables' dim and rows are whole vectors: without loops
/// and masks a row costs half.
template <class Rows, std::int64_t fixed_dim>
inline void gather_table(const FeatureWork& w, const FeatureTable& t) {
  const Rows rows(t);
  const std::int64_t dim = fixed_dim > 0 ? fixed_dim : t.bag.dim, row_bytes = Rows::row_bytes(dim);
  const std::uint8_t* const from = t.bag.rows;
  const std::int64_t* const indices = w.indices + t.number * w.index_stride;
  const std::int64_t sample_bytes = w.sample_bytes;
  for (std::int64_t sample = w.samples; sample < w.samples + w.samples_ahead; ++sample) {
    const auto* const row = reinterpret_cast<const char*>(from + indices[sample] * row_bytes);
    for (std::int64_t byte = 0; byte < row_bytes; byte += 64) _mm_prefetch(row + byte, _MM_HINT_T0);
    if (row_bytes % 64 != 0) _mm_prefetch(row + row_bytes - 1, _MM_HINT_T0);
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
  for (const FeatureTable* t = w.tables; t != w.tables + w.table_count; ++t) {
    switch (t->bag.format) {
      case kF32:
        gather_from<Lanes<kF32>>(w, *t);
        break;
      case kF16:
        gather_from<Lanes<kF16>>(w, *t);
        break;
      case kS8Table:
        t->inverse_scale == 0 ? gather_from<Bytes>(w, *t) : gather_from<Lanes<kS8Table>>(w, *t);
        break;
      case kS8Row:
        gather_from<Lanes<kS8Row>>(w, *t);
        break;
      case kS4Row:
        gather_from<ScaledNibbles>(w, *t);
        break;
      case kS4Codebook:
        gather_from<Nibbles>(w, *t);
        break;
      default:
        break;
    }
  }
}

void quantize_features_avx512(const float* values, std::int64_t count, float inverse_scale,
                              std::int8_t* dst) {
  for (std::int64_t i = 0; i < count; i += 16) {
    const auto there = static_cast<__mmask16>(first_bytes(count - i));
    const __m512 x = _mm512_maskz_loadu_ps(there, values + i);
    store_nearest(dst + i, there, nearest(x, _mm512_set1_ps(inverse_scale)));
  }
}

}  // namespace octavo
