#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/conv2d/direct_block.h"
#include "engine/kernels/conv2d/finish_rows.h"
#include "engine/kernels/vnni.h"

// The sums of a block of pixels stay in registers and are requantized between the products of the next block:
// multiplications of both share two ports, everything else of requantization has others.

namespace octavo {
namespace {

// x 2 vectors of 16 channels = 14 accumulators, or 7 where one vector holds all; 112, 56, 28, 14, 7 divide
// evenly
constexpr int kPixels = 7;

/// What requantization reads, all of it from memory: in registers it would drive sums out.
struct Numbers : PanelNumbers {
  __m512i order;
  explicit Numbers(const PanelBlock& b)
      : PanelNumbers(numbers_of(b.rule, 0, b.channels)), order(row_order()) {}
  /// The compiler forgets what it has loaded of the numbers.
  OCTAVO_INLINE void leave_in_memory() const { asm volatile("" : : "r"(this) : "memory"); }
};

/// Where the results of a block go, and their residuals.
struct Places {
  std::uint8_t* dst;
  const std::uint8_t* residual;
  std::int64_t dst_stride, residual_stride;

  Places(const PanelBlock& b, std::int64_t first)
      : dst(b.dst + first * b.dst_stride),
        residual(b.residual + first * b.residual_stride),
        dst_stride(b.dst_stride),
        residual_stride(b.residual_stride) {}
  [[nodiscard]] OCTAVO_INLINE std::uint8_t* result(std::int64_t pixel) const {
    return dst + pixel * dst_stride;
  }
  [[nodiscard]] OCTAVO_INLINE const std::uint8_t* added(std::int64_t pixel) const {
    return residual + pixel * residual_stride;
  }
};

/// Requantization of `count` vectors of sums, 1 to 4, in stages that may stand between other products. Pixels
/// have `width` vectors each.
template <OutputForm form, bool is_whole, int width, int count>
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
  /// 16 stored residuals as FastRule's r. Converted and moved: both have ports of their own on Zen 4, where
  /// finish_rows.h's one shuffle costs 5 % of a layer of 64 channels.
  OCTAVO_INLINE static __m512 residual(const std::uint8_t* from, std::int64_t half, const Numbers& n) {
    const auto there = static_cast<__mmask16>(n.there >> (16 * half));
    const auto* const at = reinterpret_cast<const __m128i*>(from + 16 * half);
    const __m128i r = is_whole ? _mm_loadu_si128(at) : _mm_maskz_loadu_epi8(there, at);
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

  static constexpr int kStages = !kIsFast<form> ? 1 : kAddsResidual<form> ? 4 : 3;
  /// One stage, of the vectors from `first` on of a block.
  template <int stage>
  OCTAVO_INLINE static void take(__m512i* block, int first, const Places& to, const Numbers& n,
                                 const OutputRule& rule) {
    __m512i* const sums = block + first;
    const int pixel = first / width;
    n.leave_in_memory();
    if constexpr (!kIsFast<form>) {
      store_exactly(sums, to, pixel, n, rule);
    } else if constexpr (stage == 0) {
      convert(sums, n);
    } else if constexpr (stage == 1) {
      scale(sums, n);
    } else if constexpr (stage + 1 < kStages) {
      add(sums, to, pixel, n);
    } else {
      store(sums, to, pixel, n);
    }
  }
};

/// Part `part` of finishing a block of `vectors`: four of them stage by stage, then the next four.
template <OutputForm form, bool is_whole, int width, int vectors, int part>
OCTAVO_INLINE void finish_part(__m512i* sums, const Places& to, const Numbers& n, const OutputRule& rule) {
  constexpr int kStages = Finishing<form, is_whole, width, 1>::kStages;
  constexpr int first = part / kStages * 4;
  constexpr int count = vectors - first < 4 ? vectors - first : 4;
  Finishing<form, is_whole, width, count>::template take<part % kStages>(sums, first, to, n, rule);
}
template <OutputForm form, int vectors>
constexpr int kParts = (vectors + 3) / 4 * Finishing<form, true, 1, 1>::kStages;

/// The sums of pixels first .. first + P - 1 of a panel. Calls walk(take), which calls take(count) for all
/// steps of the products, in order, and may do other things between. `asks`: of `ahead` L2 is asked for a
/// line with each step. `is_half`: the last vector of a pixel has 8 channels at most.
template <int P, int width, bool asks, bool is_half, class Walk>
OCTAVO_INLINE void multiply(const PanelBlock& b, std::int64_t first, const std::uint8_t* ahead, __m512i* sum,
                            const Walk& walk) {
  const std::uint8_t* window[P];
  const __m512i low = _mm512_loadu_si512(b.rule.start);
  const __m512i high = _mm512_loadu_si512(b.rule.start + 16);
#pragma GCC unroll 7
  for (std::int64_t p = 0; p < P; ++p) {
    window[p] = b.windows[first + p];
    sum[width * p] = low;
    if constexpr (width == 2) sum[width * p + 1] = high;
  }
  const std::uint8_t* weights = b.weights;
  const WindowRun* run = b.runs;
  std::int64_t at = run->at, left = run->steps, after = b.steps - left;
  const auto take = [&](std::int64_t count) __attribute__((always_inline)) {
    while (count > 0) {
      const std::int64_t here = count < left ? count : left;
      const std::int64_t end = at + 4 * here;
      for (; at < end; at += 4, weights += std::int64_t{64} * width) {
        const __m512i w_low = _mm512_loadu_si512(weights);
        const __m512i w_high = width == 2 ? _mm512_loadu_si512(weights + 64) : w_low;
        if constexpr (asks) {
          _mm_prefetch(ahead, _MM_HINT_T1);
          ahead += b.ahead_each;
        }
#pragma GCC unroll 7
        for (std::int64_t p = 0; p < P; ++p) {
          const __m512i x = broadcast4(window[p] + at);
          if constexpr (width == 2) sum[width * p] = with_products(sum[width * p], x, w_low);
          __m512i& last = sum[width * p + width - 1];
          last = is_half ? with_half_products(last, x, w_high) : with_products(last, x, w_high);
        }
      }
      count -= here;
      left -= here;
      if (left == 0 && after > 0) {
        ++run;
        at = run->at, left = run->steps;
        after -= left;
      }
    }
  };
  walk(take);
}

template <OutputForm form, bool is_whole, int P, int width>
OCTAVO_INLINE void finish_block(const PanelBlock& b, std::int64_t first, __m512i* sums, const Numbers& n) {
  const Places to(b, first);
  const auto all = [&]<int... part>(std::integer_sequence<int, part...>) __attribute__((always_inline)) {
    (finish_part<form, is_whole, width, width * P, part>(sums, to, n, b.rule.exact), ...);
  };
  all(std::make_integer_sequence<int, kParts<form, width * P>>());
}

/// `count` blocks from pixel `first` on, at least one. The sums of a block stay in registers and are finished
/// between the products of the next one.
template <OutputForm form, bool is_whole, int width, bool asks, bool is_half = false>
void multiply_blocks(const PanelBlock& b, std::int64_t first, std::int64_t count) {
  const Numbers n(b);
  const std::int64_t steps = b.steps;
  const std::uint8_t* ahead = b.ahead;
  const std::int64_t end = first + count * kPixels;
  constexpr int kVectors = width * kPixels;
  __m512i sum[kVectors], done[kVectors];
  for (std::int64_t pixel = first; pixel < end; pixel += kPixels) {
    multiply<kPixels, width, asks, is_half>(
        b, pixel, ahead, sum, [&](const auto& take) __attribute__((always_inline)) {
          if (pixel == first) return take(steps);
          const Places to(b, pixel - kPixels);
          constexpr int kAll = kParts<form, kVectors>;
          const auto all = [&]<int... part>(std::integer_sequence<int, part...>)
              __attribute__((always_inline)) {
            ((take(steps * (part + 1) / kAll - steps * part / kAll),
              finish_part<form, is_whole, width, kVectors, part>(done, to, n, b.rule.exact)),
             ...);
          };
          all(std::make_integer_sequence<int, kAll>());
        });
    if constexpr (asks) ahead += steps * b.ahead_each;
#pragma GCC unroll 14
    for (int i = 0; i < kVectors; ++i) done[i] = sum[i];
  }
  finish_block<form, is_whole, kPixels, width>(b, end - kPixels, done, n);
}

/// P pixels, fewer than a block.
template <OutputForm form, int width, int P>
void multiply_few(const PanelBlock& b, std::int64_t first) {
  const Numbers n(b);
  __m512i sum[width * P];
  multiply<P, width, false, false>(
      b, first, nullptr, sum, [&](const auto& take) __attribute__((always_inline)) { take(b.steps); });
  finish_block<form, false, P, width>(b, first, sum, n);
}

template <OutputForm form, int width>
void multiply_blocks(const PanelBlock& b) {
  const std::int64_t blocks = b.pixels / kPixels;
  const std::int64_t missing = std::int64_t{16} * width - b.channels;
  if (missing == 0) {
    const std::int64_t plain = blocks - b.ahead_groups;
    if (b.ahead_groups > 0) multiply_blocks<form, true, width, true>(b, 0, b.ahead_groups);
    if (plain > 0) multiply_blocks<form, true, width, false>(b, b.ahead_groups * kPixels, plain);
  } else if (blocks > 0) {
    missing >= 8 ? multiply_blocks<form, false, width, false, true>(b, 0, blocks)
                 : multiply_blocks<form, false, width, false, false>(b, 0, blocks);
  }
}

template <OutputForm form, int width>
void multiply_panel(const PanelBlock& b) {
  multiply_blocks<form, width>(b);
  std::int64_t first = b.pixels / kPixels * kPixels;
  const std::int64_t few = b.pixels - first;
  if ((few & 4) != 0) multiply_few<form, width, 4>(b, first), first += 4;
  if ((few & 2) != 0) multiply_few<form, width, 2>(b, first), first += 2;
  if ((few & 1) != 0) multiply_few<form, width, 1>(b, first);
}

template <OutputForm form>
void multiply_all(const PanelBlock& b) {
  b.channels > kNarrowPanelChannels ? multiply_panel<form, 2>(b) : multiply_panel<form, 1>(b);
}

}  // namespace

void multiply_avx512_vnni(const PanelBlock& block) {
  switch (block.form) {
    case OutputForm::stored:
      return multiply_all<OutputForm::stored>(block);
    case OutputForm::residual:
      return multiply_all<OutputForm::residual>(block);
    case OutputForm::stored_shifted:
      return multiply_all<OutputForm::stored_shifted>(block);
    case OutputForm::stored_plain:
      return multiply_all<OutputForm::stored_plain>(block);
    case OutputForm::residual_plain:
      return multiply_all<OutputForm::residual_plain>(block);
    case OutputForm::stored_bare:
      return multiply_all<OutputForm::stored_bare>(block);
    case OutputForm::residual_bare:
      return multiply_all<OutputForm::residual_bare>(block);
    case OutputForm::exact:
      return multiply_all<OutputForm::exact>(block);
    case OutputForm::exact_residual:
      return multiply_all<OutputForm::exact_residual>(block);
    case OutputForm::real:
      return multiply_all<OutputForm::real>(block);
  }
}

}  // namespace octavo
