#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/direct_block.h"
#include "engine/kernels/conv2d/finish_rows.h"

namespace octavo {
namespace {

constexpr int kPixels = 7;  // x 2 vectors of 16 channels = 14 accumulators; 112, 56, 28, 14, 7 divide evenly

inline __m512i broadcast4(const std::uint8_t* from) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

/// sum += the products of 4 u8 and 4 s8. Written as the instruction because gcc 12 copies every accumulator
/// twice a step around the intrinsic, which costs 15 % of the 3x3 layers of ResNet-50.
inline void add_products(__m512i& sum, __m512i x, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
}

/// Pixels first .. first + P - 1 of the block. `ahead`: where the lines begin that L2 is asked for meanwhile.
template <OutputForm form, int P, bool asks = false>
OCTAVO_INLINE void multiply(const PanelBlock& b, std::int64_t first, const PanelNumbers& numbers,
                            const std::uint8_t* ahead = nullptr) {
  const std::uint8_t* window[P];
  __m512i low[P], high[P];
  for (int p = 0; p < P; ++p) {
    window[p] = b.windows[first + p];
    low[p] = _mm512_loadu_si512(b.rule.exact.start);
    high[p] = _mm512_loadu_si512(b.rule.exact.start + 16);
  }
  const std::uint8_t* weights = b.weights;
  for (std::int64_t tap = 0; tap < b.tap_count; ++tap) {
    const std::int64_t end = b.taps[tap] + 4 * b.steps;
    for (std::int64_t at = b.taps[tap]; at < end; at += 4, weights += 128) {
      const __m512i w_low = _mm512_loadu_si512(weights);
      const __m512i w_high = _mm512_loadu_si512(weights + 64);
      if constexpr (asks) {
        _mm_prefetch(ahead, _MM_HINT_T1);
        ahead += b.ahead_each;
      }
#pragma GCC unroll 7
      for (int p = 0; p < P; ++p) {
        const __m512i x = broadcast4(window[p] + at);
        add_products(low[p], x, w_low);
        add_products(high[p], x, w_high);
      }
    }
  }
  // The numbers are loaded anew for every block: in registers during the products they would drive
  // accumulators out.
  asm volatile("" : : "r"(&numbers) : "memory");
  alignas(64) std::int32_t sums[P * kPanelChannels];
  std::uint8_t* dst[P];
  const std::uint8_t* residual[P];
  for (int p = 0; p < P; ++p) {
    _mm512_store_si512(sums + kPanelChannels * p, low[p]);
    _mm512_store_si512(sums + kPanelChannels * p + 16, high[p]);
    dst[p] = b.dst + (first + p) * b.dst_stride;
    residual[p] = b.residual + (first + p) * b.residual_stride;
  }
  const auto finish = [&]<int rows>(int row) {
    finish_rows<form, rows, false>(sums + kPanelChannels * row, dst + row, residual + row, numbers,
                                   b.rule.exact);
  };
  if constexpr (P >= 4) finish.template operator()<4>(0);
  if constexpr (P % 4 >= 2) finish.template operator()<2>(P / 4 * 4);
  if constexpr (P % 2 == 1) finish.template operator()<1>(P - 1);
}

template <OutputForm form>
void multiply_all(const PanelBlock& b) {
  PanelNumbers numbers = numbers_of(b.rule, 0, b.channels);
  std::int64_t first = 0;
  const std::uint8_t* ahead = b.ahead;
  for (; first < b.ahead_groups * kPixels; first += kPixels) {
    multiply<form, kPixels, true>(b, first, numbers, ahead);
    ahead += b.tap_count * b.steps * b.ahead_each;
  }
  for (; first + kPixels <= b.pixels; first += kPixels) multiply<form, kPixels>(b, first, numbers);
  switch (b.pixels - first) {
    case 1:
      return multiply<form, 1>(b, first, numbers);
    case 2:
      return multiply<form, 2>(b, first, numbers);
    case 3:
      return multiply<form, 3>(b, first, numbers);
    case 4:
      return multiply<form, 4>(b, first, numbers);
    case 5:
      return multiply<form, 5>(b, first, numbers);
    case 6:
      return multiply<form, 6>(b, first, numbers);
    default:
      return;
  }
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
