#include <immintrin.h>

#include <algorithm>
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

constexpr int kPixels = 7;  // x 2 vectors of 16 channels = 14 accumulators; 112, 56, 28, 14, 7 divide evenly

/// What requantization reads, all of it from memory: in registers it would drive sums out.
struct Numbers : PanelNumbers {
  __m512i shuffle, order;
  explicit Numbers(const PanelBlock& b)
      : PanelNumbers(numbers_of(b.rule, 0, b.channels)), shuffle(second_bytes()), order(row_order()) {}
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

inline __m512i broadcast4(const std::uint8_t* from) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

/// Requantization of 1 or 2 pixels of sums in its stages, each of which may stand between other products.
template <OutputForm form, bool is_whole, int pixels>
struct Finishing {
  static constexpr int kVectors = 2 * pixels;

  /// f32(sum) with its bias.
  OCTAVO_INLINE static void convert(__m512i* sums, const Numbers& n) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      __m512 v = _mm512_cvtepi32_ps(sums[i]);
      if constexpr (!kIsBare<form>) v = _mm512_add_ps(v, n.addend[i & 1]);
      sums[i] = _mm512_castps_si512(v);
    }
  }
  /// The result in reals; before a residual it is whole and within its range.
  OCTAVO_INLINE static void scale(__m512i* sums, const Numbers& n) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      __m512 v = _mm512_mul_ps(_mm512_castsi512_ps(sums[i]), n.multiplier[i & 1]);
      if constexpr (kAddsResidual<form>) {
        v = _mm512_min_ps(n.highest, _mm512_max_ps(v, n.lowest));
        v = _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      }
      sums[i] = _mm512_castps_si512(v);
    }
  }
  OCTAVO_INLINE static void add(__m512i* sums, const Places& to, int pixel, const Numbers& n) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const std::uint8_t* const from = to.added(pixel + i / 2);
      __m512 r = i % 2 == 0 ? residual_of<0>(from, n, is_whole, n.shuffle)
                            : residual_of<1>(from, n, is_whole, n.shuffle);
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
  OCTAVO_INLINE static __m512i packed(const __m512i* sums, const Numbers& n) {
    const __m512i y = _mm512_packs_epi32(whole(sums[0], n), whole(sums[1], n));
    return kIsPlain<form> ? y : _mm512_adds_epi16(y, n.zero_point);
  }
  OCTAVO_INLINE static void store(const __m512i* sums, const Places& to, int pixel, const Numbers& n) {
    const __m512i first = packed(sums, n);
    __m512i bytes = _mm512_packus_epi16(first, pixels == 2 ? packed(sums + 2 * (pixels - 1), n) : first);
    if constexpr (!kIsPlain<form>) {
      bytes = _mm512_min_epu8(n.highest_y, _mm512_max_epu8(bytes, n.lowest_y));
      bytes = _mm512_xor_si512(bytes, n.flip);
    }
    bytes = _mm512_permutexvar_epi32(n.order, bytes);
    store_row(to.result(pixel), _mm512_castsi512_si256(bytes), n, is_whole);
    if constexpr (pixels == 2)
      store_row(to.result(pixel + 1), _mm512_extracti64x4_epi64(bytes, 1), n, is_whole);
  }
  /// All at once, in the order of the rule.
  OCTAVO_INLINE static void store_exactly(const __m512i* sums, const Places& to, int pixel, const Numbers& n,
                                          const OutputRule& rule) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const int at = pixel + i / 2;
      finish_exact<form>(sums[i], to.result(at), to.added(at), n, rule, i & 1);
    }
  }

  static constexpr int kStages = !kIsFast<form> ? 1 : kAddsResidual<form> ? 4 : 3;
  /// One stage, of the pixels from `pixel` on of a block.
  template <int stage>
  OCTAVO_INLINE static void take(__m512i* block, int pixel, const Places& to, const Numbers& n,
                                 const OutputRule& rule) {
    __m512i* const sums = block + 2 * pixel;
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

/// Part `part` of finishing the sums of a block of P pixels: two pixels stage by stage, then the next two.
template <OutputForm form, bool is_whole, int P, int part>
OCTAVO_INLINE void finish_part(__m512i* sums, const Places& to, const Numbers& n, const OutputRule& rule) {
  constexpr int kStages = Finishing<form, is_whole, 1>::kStages;
  constexpr int pixel = part / kStages * 2;
  Finishing<form, is_whole, (pixel + 1 < P ? 2 : 1)>::template take<part % kStages>(sums, pixel, to, n, rule);
}
template <OutputForm form, int P>
constexpr int kParts = (P + 1) / 2 * Finishing<form, true, 1>::kStages;

/// The sums of pixels first .. first + P - 1 of a panel. Calls walk(take), which calls take(count) for all
/// steps of the products, in order, and may do other things between. `asks`: of `ahead` L2 is asked for a
/// line with each step.
template <int P, bool asks, class Walk>
OCTAVO_INLINE void multiply(const PanelBlock& b, std::int64_t first, const std::uint8_t* ahead, __m512i* sum,
                            const Walk& walk) {
  const std::uint8_t* window[P];
  const __m512i low = _mm512_loadu_si512(b.rule.start);
  const __m512i high = _mm512_loadu_si512(b.rule.start + 16);
#pragma GCC unroll 7
  for (int p = 0; p < P; ++p) {
    window[p] = b.windows[first + p];
    sum[2 * p] = low;
    sum[2 * p + 1] = high;
  }
  const std::uint8_t* weights = b.weights;
  std::int64_t tap = 0, at = b.taps[0], left = b.steps;
  const auto take = [&](std::int64_t count) __attribute__((always_inline)) {
    while (count > 0) {
      const std::int64_t here = std::min(count, left);
      const std::int64_t end = at + 4 * here;
      for (; at < end; at += 4, weights += 128) {
        const __m512i w_low = _mm512_loadu_si512(weights);
        const __m512i w_high = _mm512_loadu_si512(weights + 64);
        if constexpr (asks) {
          _mm_prefetch(ahead, _MM_HINT_T1);
          ahead += b.ahead_each;
        }
#pragma GCC unroll 7
        for (int p = 0; p < P; ++p) {
          const __m512i x = broadcast4(window[p] + at);
          sum[2 * p] = with_products(sum[2 * p], x, w_low);
          sum[2 * p + 1] = with_products(sum[2 * p + 1], x, w_high);
        }
      }
      count -= here;
      left -= here;
      if (left == 0 && ++tap < b.tap_count) at = b.taps[tap], left = b.steps;
    }
  };
  walk(take);
}

template <OutputForm form, bool is_whole, int P>
OCTAVO_INLINE void finish_block(const PanelBlock& b, std::int64_t first, __m512i* sums, const Numbers& n) {
  const Places to(b, first);
  const auto all = [&]<int... part>(std::integer_sequence<int, part...>) __attribute__((always_inline)) {
    (finish_part<form, is_whole, P, part>(sums, to, n, b.rule.exact), ...);
  };
  all(std::make_integer_sequence<int, kParts<form, P>>());
}

/// `count` blocks from pixel `first` on, at least one. The sums of a block stay in registers and are finished
/// between the products of the next one.
template <OutputForm form, bool is_whole, bool asks>
void multiply_blocks(const PanelBlock& b, std::int64_t first, std::int64_t count) {
  const Numbers n(b);
  const std::int64_t steps = b.tap_count * b.steps;
  const std::uint8_t* ahead = b.ahead;
  const std::int64_t end = first + count * kPixels;
  __m512i sum[2 * kPixels], done[2 * kPixels];
  for (std::int64_t pixel = first; pixel < end; pixel += kPixels) {
    multiply<kPixels, asks>(
        b, pixel, ahead, sum, [&](const auto& take) __attribute__((always_inline)) {
          if (pixel == first) return take(steps);
          const Places to(b, pixel - kPixels);
          const auto all = [&]<int... part>(std::integer_sequence<int, part...>)
              __attribute__((always_inline)) {
            constexpr int kAll = kParts<form, kPixels>;
            ((take(steps * (part + 1) / kAll - steps * part / kAll),
              finish_part<form, is_whole, kPixels, part>(done, to, n, b.rule.exact)),
             ...);
          };
          all(std::make_integer_sequence<int, kParts<form, kPixels>>());
        });
    if constexpr (asks) ahead += steps * b.ahead_each;
#pragma GCC unroll 14
    for (int i = 0; i < 2 * kPixels; ++i) done[i] = sum[i];
  }
  finish_block<form, is_whole, kPixels>(b, end - kPixels, done, n);
}

/// P pixels, fewer than a block.
template <OutputForm form, int P>
void multiply_few(const PanelBlock& b, std::int64_t first) {
  const Numbers n(b);
  __m512i sum[2 * P];
  const std::int64_t steps = b.tap_count * b.steps;
  multiply<P, false>(
      b, first, nullptr, sum, [&](const auto& take) __attribute__((always_inline)) { take(steps); });
  finish_block<form, false, P>(b, first, sum, n);
}

template <OutputForm form, bool is_whole>
void multiply_blocks(const PanelBlock& b) {
  const std::int64_t asking = b.ahead_groups, plain = b.pixels / kPixels - asking;
  if (asking > 0) multiply_blocks<form, is_whole, true>(b, 0, asking);
  if (plain > 0) multiply_blocks<form, is_whole, false>(b, asking * kPixels, plain);
}

template <OutputForm form>
void multiply_all(const PanelBlock& b) {
  b.channels >= kPanelChannels ? multiply_blocks<form, true>(b) : multiply_blocks<form, false>(b);
  std::int64_t first = b.pixels / kPixels * kPixels;
  const std::int64_t few = b.pixels - first;
  if ((few & 4) != 0) multiply_few<form, 4>(b, first), first += 4;
  if ((few & 2) != 0) multiply_few<form, 2>(b, first), first += 2;
  if ((few & 1) != 0) multiply_few<form, 1>(b, first);
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
