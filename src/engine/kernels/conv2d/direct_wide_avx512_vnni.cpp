#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/caches.h"
#include "engine/kernels/conv2d/direct_block.h"
#include "engine/kernels/conv2d/finish_rows.h"
#include "engine/kernels/vnni.h"

// For CPUs whose vector instructions all take the ports that products take, and whose clock falls with the
// loads between them: as many sums as registers hold, 64 channels of 6 pixels, and loads for each product as
// few as can be. They are requantized where they are; the next block's products follow out of order.

namespace octavo {
namespace {

constexpr int kPixels = 6;
constexpr int kVectors = 4;  // of 16 channels
static_assert(kWidePanelChannels == std::int64_t{16} * kVectors);

/// What L2 is asked for, a line with each step: of the four quarters of it by turns, since the prefetcher
/// behind L2 follows every page on its own (docs/performance.md).
struct Asked {
  const std::uint8_t* line;  ///< in the first quarter
  std::int64_t quarter;      ///< bytes of one
  std::int64_t each;         ///< bytes that a step accounts for

  explicit Asked(const PanelBlock& b) : line(b.ahead), each(b.ahead_each) {
    const std::int64_t lines = b.ahead_groups * b.steps * each / kLineBytes;
    quarter = (lines + 3) / 4 * kLineBytes;
  }
  /// Behind a group of pixels.
  void move_on(std::int64_t steps) { line += steps * each / 4; }
};

/// Adds the products of all steps to the sums of P pixels.
template <int P, bool asks>
OCTAVO_INLINE void multiply(const PanelBlock& b, std::int64_t first, const Asked& asked, __m512i* sum) {
  const std::uint8_t* window[P];
#pragma GCC unroll 6
  for (int p = 0; p < P; ++p) window[p] = b.windows[first + p];
  const std::uint8_t* weights = b.weights;
  const std::uint8_t* line = asked.line;
  std::int64_t turn = 0;  // the first quarter and the third, or the second and the fourth
  const auto step = [&](std::int64_t at, std::int64_t quarters) __attribute__((always_inline)) {
    __m512i w[kVectors];
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < kVectors; ++i) w[i] = _mm512_loadu_si512(weights + 64 * i);
    weights += kWidePanelChannels * 4;
    if constexpr (asks) _mm_prefetch(line + turn + quarters, _MM_HINT_T1);
#pragma GCC unroll 6
    for (int p = 0; p < P; ++p) {
      const __m512i x = broadcast4(window[p] + at);
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i)
        sum[p * kVectors + i] = with_products(sum[p * kVectors + i], x, w[i]);
    }
  };
  const WindowRun* run = b.runs;
  for (std::int64_t left = b.steps; left > 0; left -= run->steps, ++run) {
    std::int64_t at = run->at;
    const std::int64_t end = at + 4 * run->steps;
    // Two at a time: counting takes the products' ports too.
    for (; at + 4 < end; at += 8) {
      step(at, 0), step(at + 4, 2 * asked.quarter);
      if constexpr (asks) turn ^= asked.quarter, line += asked.each / 2;
    }
    if (at < end) step(at, 0);
  }
}

/// Requantizes `rows` pixels from `pixel` on, each half of the panel by its numbers.
template <OutputForm form, int rows>
OCTAVO_INLINE void finish(const PanelBlock& b, std::int64_t pixel, const __m512i* sums,
                          const PanelNumbers* n) {
#pragma GCC unroll 2
  for (int half = 0; half < 2; ++half) {
    __m512i of_half[2 * rows];
    std::uint8_t* dst[rows];
    const std::uint8_t* residual[rows];
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) {
      of_half[2 * i] = sums[i * kVectors + 2 * half];
      of_half[2 * i + 1] = sums[i * kVectors + 2 * half + 1];
      dst[i] = b.dst + (pixel + i) * b.dst_stride;
      residual[i] = b.residual + (pixel + i) * b.residual_stride;
    }
    finish_sums<form, rows>(of_half, dst, residual, n[half], b.rule.exact);
  }
}

/// Pixels [first, first + P).
template <OutputForm form, int P, bool asks>
OCTAVO_INLINE void multiply_block(const PanelBlock& b, std::int64_t first, const Asked& asked,
                                  const PanelNumbers* n) {
  __m512i sum[P * kVectors];
#pragma GCC unroll 24
  for (std::int64_t i = 0; i < std::int64_t{P} * kVectors; ++i)
    sum[i] = _mm512_loadu_si512(b.rule.start + 16 * (i % kVectors));
  multiply<P, asks>(b, first, asked, sum);
  asm volatile("" : : "r"(n) : "memory");  // numbers are read where they are: sums have the registers
  if constexpr (P >= 4) finish<form, 4>(b, first, sum, n);
  if constexpr (P % 4 >= 2)
    finish<form, 2>(b, first + std::int64_t{P} / 4 * 4, sum + std::int64_t{P} / 4 * 4 * kVectors, n);
  if constexpr (P % 2 == 1) finish<form, 1>(b, first + P - 1, sum + (P - 1) * kVectors, n);
}

template <OutputForm form>
void multiply_all(const PanelBlock& b) {
  const PanelNumbers n[] = {numbers_of(b.rule, 0, b.channels),
                            numbers_of(b.rule, kPanelChannels, b.channels)};
  const std::int64_t blocks = b.pixels / kPixels;
  Asked asked(b);
  std::int64_t first = 0;
  for (std::int64_t i = 0; i < b.ahead_groups; ++i, first += kPixels, asked.move_on(b.steps))
    multiply_block<form, kPixels, true>(b, first, asked, n);
  for (std::int64_t i = b.ahead_groups; i < blocks; ++i, first += kPixels)
    multiply_block<form, kPixels, false>(b, first, asked, n);
  const std::int64_t few = b.pixels - first;
  if ((few & 4) != 0) multiply_block<form, 4, false>(b, first, asked, n), first += 4;
  if ((few & 2) != 0) multiply_block<form, 2, false>(b, first, asked, n), first += 2;
  if ((few & 1) != 0) multiply_block<form, 1, false>(b, first, asked, n);
}

}  // namespace

void multiply_wide_avx512_vnni(const PanelBlock& block) {
  with_form(block.form, [&]<OutputForm form>() { multiply_all<form>(block); });
}

}  // namespace octavo
