#pragma once
#include <immintrin.h>

#include <cstdint>
#include <utility>

#include "engine/kernels/conv2d/finish_rows.h"

// Requantizing vectors of sums that are in registers, for files compiled for AVX-512 VNNI. All of it has
// internal linkage.

namespace octavo {
namespace {

/// What requantization reads, all of it from memory: in registers it would drive sums out.
struct Numbers : PanelNumbers {
  __m512i order;
  /// `channels`: of the rule's panel that there are.
  Numbers(const FastRule& rule, std::int64_t channels)
      : PanelNumbers(numbers_of(rule, 0, channels)), order(row_order()) {}
  /// The compiler forgets what it has loaded of the numbers.
  OCTAVO_INLINE void leave_in_memory() const { asm volatile("" : : "r"(this) : "memory"); }
};

/// Where the results of a block go, and their residuals.
struct Places {
  std::uint8_t* dst;
  const std::uint8_t* residual;
  std::int64_t dst_stride, residual_stride;

  [[nodiscard]] OCTAVO_INLINE std::uint8_t* result(std::int64_t pixel) const {
    return dst + pixel * dst_stride;
  }
  [[nodiscard]] OCTAVO_INLINE const std::uint8_t* added(std::int64_t pixel) const {
    return residual + pixel * residual_stride;
  }
};

template <OutputForm form>
constexpr int kStagesOf = !kIsFast<form>        ? 1
                          : kAddsResidual<form> ? 4
                                                : 3;

/// Requantization of `count` vectors of sums, 1 to 4, in stages that may stand between other products. Pixels
/// have `width` vectors each. `is_alone`: no products stand between.
template <OutputForm form, bool is_whole, int width, int count, bool is_alone>
struct Finishing {
  /// f32(sum) with its bias.
  OCTAVO_INLINE static void convert(__m512i* sums, const Numbers& n) {
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
      __m512 v = _mm512_cvtepi32_ps(sums[i]);
      if constexpr (!kIsBare<form>) v = _mm512_add_ps(v, n.addend[i % width]);
      sums[i] = _mm512_castps_si512(v);
    }
  }
  /// The result in reals; before a residual it is whole and within its range.
  OCTAVO_INLINE static void scale(__m512i* sums, const Numbers& n) {
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
      __m512 v = _mm512_mul_ps(_mm512_castsi512_ps(sums[i]), n.multiplier[i % width]);
      if constexpr (kAddsResidual<form>) {
        v = _mm512_min_ps(n.highest, _mm512_max_ps(v, n.lowest));
        v = _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      }
      sums[i] = _mm512_castps_si512(v);
    }
  }
  /// 16 stored residuals as FastRule's r. Beside products they are converted and moved: both have ports of
  /// their own on Zen 4, where residual_of's one shuffle costs 5 % of a layer of 64 channels.
  OCTAVO_INLINE static __m512 residual(const std::uint8_t* from, std::int64_t half, const Numbers& n) {
    if constexpr (is_alone)
      return half == 0 ? residual_of<0, kFlipsResidual<form>>(from, n, is_whole)
                       : residual_of<1, kFlipsResidual<form>>(from, n, is_whole);
    const auto there = static_cast<__mmask16>(n.there >> (16 * half));
    const auto* const at = reinterpret_cast<const __m128i*>(from + 16 * half);
    __m128i r = is_whole ? _mm_loadu_si128(at) : _mm_maskz_loadu_epi8(there, at);
    if constexpr (kFlipsResidual<form>) r = _mm_xor_si128(r, _mm512_castsi512_si128(n.r_flip));
    return _mm512_add_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(r)), _mm512_castsi512_ps(n.r_zero));
  }
  OCTAVO_INLINE static void add(__m512i* sums, const Places& to, int pixel, const Numbers& n) {
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
      __m512 r = residual(to.added(pixel + i / width), i % width, n);
      r = _mm512_fmadd_ps(r, n.r_factor, n.offset);
      sums[i] = _mm512_castps_si512(_mm512_fmadd_ps(_mm512_castsi512_ps(sums[i]), n.q_factor, r));
    }
  }
  OCTAVO_INLINE static __m512i whole(__m512i real, const Numbers& n) {
    const __m512 v = _mm512_castsi512_ps(real);
    if constexpr (!kIsShifted<form>) return _mm512_cvtps_epi32(v);
    const __m512i bits = _mm512_castps_si512(_mm512_add_ps(v, _mm512_set1_ps(kRounder)));
    return _mm512_sub_epi32(bits, n.zero_bits);
  }
  /// The results of two vectors from `first` on, or twice those of the last one.
  template <int first>
  OCTAVO_INLINE static __m512i packed(const __m512i* sums, const Numbers& n) {
    const __m512i low = whole(sums[first], n);
    const __m512i y = _mm512_packs_epi32(low, first + 1 < count ? whole(sums[first + 1], n) : low);
    return kIsPlain<form> ? y : _mm512_adds_epi16(y, n.zero_point);
  }
  OCTAVO_INLINE static void store(const __m512i* sums, const Places& to, int pixel, const Numbers& n) {
    const __m512i first = packed<0>(sums, n);
    __m512i bytes = first;
    if constexpr (count > 2) bytes = packed<2>(sums, n);
    bytes = _mm512_packus_epi16(first, bytes);
    if constexpr (!kIsPlain<form>) {
      bytes = _mm512_min_epu8(n.highest_y, _mm512_max_epu8(bytes, n.lowest_y));
      bytes = _mm512_xor_si512(bytes, n.flip);
    }
    bytes = _mm512_permutexvar_epi32(n.order, bytes);
    if constexpr (width == 2) {
      store_row(to.result(pixel), _mm512_castsi512_si256(bytes), n, is_whole);
      if constexpr (count > 2)
        store_row(to.result(pixel + 1), _mm512_extracti64x4_epi64(bytes, 1), n, is_whole);
    } else {
      store_half_row(to.result(pixel), _mm512_castsi512_si128(bytes), n);
      if constexpr (count > 1) store_half_row(to.result(pixel + 1), _mm512_extracti32x4_epi32(bytes, 1), n);
      if constexpr (count > 2) store_half_row(to.result(pixel + 2), _mm512_extracti32x4_epi32(bytes, 2), n);
      if constexpr (count > 3) store_half_row(to.result(pixel + 3), _mm512_extracti32x4_epi32(bytes, 3), n);
    }
  }
  OCTAVO_INLINE static void store_half_row(std::uint8_t* dst, __m128i results, const Numbers& n) {
    if constexpr (is_whole) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), results);
    } else {
      _mm_mask_storeu_epi8(dst, static_cast<__mmask16>(n.there), results);
    }
  }
  /// All at once, in the order of the rule.
  OCTAVO_INLINE static void store_exactly(const __m512i* sums, const Places& to, int pixel, const Numbers& n,
                                          const OutputRule& rule) {
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) {
      const int at = pixel + i / width;
      finish_exact<form>(sums[i], to.result(at), to.added(at), n, rule, i % width);
    }
  }

  /// One stage, of the vectors from `first` on of a block.
  template <int stage>
  OCTAVO_INLINE static void take(__m512i* block, int first, const Places& to, const Numbers& n,
                                 const OutputRule& rule) {
    __m512i* const sums = block + first;
    const int pixel = first / width;
    if constexpr (!is_alone) n.leave_in_memory();
    if constexpr (!kIsFast<form>) {
      store_exactly(sums, to, pixel, n, rule);
    } else if constexpr (stage == 0) {
      convert(sums, n);
    } else if constexpr (stage == 1) {
      scale(sums, n);
    } else if constexpr (stage + 1 < kStagesOf<form>) {
      add(sums, to, pixel, n);
    } else {
      store(sums, to, pixel, n);
    }
  }
};

/// Part `part` of finishing a block of `vectors`: four of them stage by stage, then the next four.
template <OutputForm form, bool is_whole, int width, int vectors, int part, bool is_alone = false>
OCTAVO_INLINE void finish_part(__m512i* sums, const Places& to, const Numbers& n, const OutputRule& rule) {
  constexpr int kStages = kStagesOf<form>;
  constexpr int first = part / kStages * 4;
  constexpr int count = vectors - first < 4 ? vectors - first : 4;
  Finishing<form, is_whole, width, count, is_alone>::template take<part % kStages>(sums, first, to, n, rule);
}
template <OutputForm form, int vectors>
constexpr int kParts = (vectors + 3) / 4 * kStagesOf<form>;

/// All of a block at once.
template <OutputForm form, bool is_whole, int width, int vectors>
OCTAVO_INLINE void finish_whole_block(__m512i* sums, const Places& to, const Numbers& n,
                                      const OutputRule& rule) {
  const auto all = [&]<int... part>(std::integer_sequence<int, part...>) __attribute__((always_inline)) {
    (finish_part<form, is_whole, width, vectors, part, true>(sums, to, n, rule), ...);
  };
  all(std::make_integer_sequence<int, kParts<form, vectors>>());
}

}  // namespace
}  // namespace octavo
