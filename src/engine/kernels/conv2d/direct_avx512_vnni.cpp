#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/conv2d/direct_block.h"
#include "engine/kernels/conv2d/finish_block.h"
#include "engine/kernels/vnni.h"

// The sums of a block of pixels stay in registers and are requantized between the products of the next block:
// multiplications of both share two ports, everything else of requantization has others.

namespace octavo {
namespace {

// x 2 vectors of 16 channels = 14 accumulators, or 7 where one vector holds all; 112, 56, 28, 14, 7 divide
// evenly
constexpr int kPixels = 7;

OCTAVO_INLINE Places places_from(const PanelBlock& b, std::int64_t first) {
  return {b.dst + first * b.dst_stride, b.residual + first * b.residual_stride, b.dst_stride,
          b.residual_stride};
}

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

/// `count` blocks from pixel `first` on, at least one. The sums of a block stay in registers and are finished
/// between the products of the next one.
template <OutputForm form, bool is_whole, int width, bool asks, bool is_half = false>
void multiply_blocks(const PanelBlock& b, std::int64_t first, std::int64_t count) {
  const Numbers n(b.rule, b.channels);
  const std::int64_t steps = b.steps;
  const std::uint8_t* ahead = b.ahead;
  const std::int64_t end = first + count * kPixels;
  constexpr int kVectors = width * kPixels;
  __m512i sum[kVectors], done[kVectors];
  for (std::int64_t pixel = first; pixel < end; pixel += kPixels) {
    multiply<kPixels, width, asks, is_half>(
        b, pixel, ahead, sum, [&](const auto& take) __attribute__((always_inline)) {
          if (pixel == first) return take(steps);
          const Places to = places_from(b, pixel - kPixels);
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
  finish_whole_block<form, is_whole, width, kVectors>(done, places_from(b, end - kPixels), n, b.rule.exact);
}

/// P pixels, fewer than a block.
template <OutputForm form, int width, int P>
void multiply_few(const PanelBlock& b, std::int64_t first) {
  const Numbers n(b.rule, b.channels);
  __m512i sum[width * P];
  multiply<P, width, false, false>(
      b, first, nullptr, sum, [&](const auto& take) __attribute__((always_inline)) { take(b.steps); });
  finish_whole_block<form, false, width, width * P>(sum, places_from(b, first), n, b.rule.exact);
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
  with_form(block.form, [&]<OutputForm form>() { multiply_all<form>(block); });
}

}  // namespace octavo
