#include <cstring>

#include "engine/kernels/dlrm/finish_bf16.h"

namespace octavo {
namespace {

/// `rows` samples of a panel.
template <int rows>
OCTAVO_INLINE void multiply_rows(const DlrmLayerWork& w, const std::uint8_t* src, const std::int8_t* weights,
                                 const Bf16Rule& rule, std::uint8_t* dst) {
  __m512 sum[rows][2] = {};
  for (std::int64_t step = 0; step < w.steps; ++step, src += kDlrmStepBytes, weights += kDlrmStepBytes) {
    for (std::int64_t pair = 0; pair < 16; ++pair) {
      const auto left = (__m512bh)_mm512_load_si512(weights + pair * 64);
      const auto right = (__m512bh)_mm512_load_si512(weights + 1024 + pair * 64);
#pragma GCC unroll 12
      for (std::int64_t row = 0; row < rows; ++row) {
        std::int32_t two;
        std::memcpy(&two, src + row * kDlrmStep + pair * 4, 4);
        const auto x = (__m512bh)_mm512_set1_epi32(two);
        sum[row][0] = _mm512_dpbf16_ps(sum[row][0], x, left);
        sum[row][1] = _mm512_dpbf16_ps(sum[row][1], x, right);
      }
    }
  }
#pragma GCC unroll 12
  for (std::int64_t row = 0; row < rows; ++row)
    finish_bf16(sum[row][0], sum[row][1], rule, dst + row * kDlrmStep);
}

/// Up to 8 samples from `sample` on, none of them in the next group.
OCTAVO_INLINE std::int64_t multiply_some(const DlrmLayerWork& w, const std::int8_t* weights,
                                         const Bf16Rule& rule, std::int64_t panel, std::int64_t sample) {
  const std::int64_t group = sample / kDlrmGroup, row = sample % kDlrmGroup, left = w.samples - sample;
  const std::uint8_t* const src = w.src + group * w.steps * kDlrmStepBytes + row * kDlrmStep;
  std::uint8_t* const dst = bf16_panel_dst(w, group, panel) + row * kDlrmStep;
  if (left >= 8) return multiply_rows<8>(w, src, weights, rule, dst), 8;
  if (left >= 4) return multiply_rows<4>(w, src, weights, rule, dst), 4;
  return multiply_rows<1>(w, src, weights, rule, dst), 1;
}

}  // namespace

void dlrm_layer_avx512_bf16(const DlrmLayerWork& w) {
  for (std::int64_t i = 0; i < w.panels; ++i) {
    const std::int64_t panel = w.backwards != 0 ? w.panels - 1 - i : i;
    const std::int8_t* const weights = w.weights + panel * w.steps * kDlrmStepBytes;
    const Bf16Rule rule = bf16_rule(w, panel);
    for (std::int64_t sample = 0; sample < w.samples;)
      sample += multiply_some(w, weights, rule, panel, sample);
  }
}

void dlrm_input_avx512_bf16(const DlrmInputWork& w) {
  const auto part = [&](std::int64_t m, std::int64_t i) {
    const std::int64_t left = w.features - i;
    const auto there = static_cast<__mmask16>(left >= 16 ? 0xFFFF : left > 0 ? (1 << left) - 1 : 0);
    return _mm512_maskz_loadu_ps(there, w.dense + m * w.features + i);
  };
  for (std::int64_t m = 0; m < w.samples; ++m) {
    std::uint8_t* const sample =
        w.packed + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    for (std::int64_t step = 0; step < w.steps; ++step) {
      _mm512_store_si512(sample + step * kDlrmStepBytes,
                         bf16_of(part(m, step * kBf16Step), part(m, step * kBf16Step + 16)));
    }
  }
}

void dlrm_last_avx512_bf16(const DlrmLastWork& w) {
  for (std::int64_t m = 0; m < w.samples; ++m) {
    const std::uint8_t* const src =
        w.src + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    __m512 sum = _mm512_setzero_ps();
    for (std::int64_t step = 0; step < w.steps; ++step) {
      sum = _mm512_dpbf16_ps(sum, (__m512bh)_mm512_load_si512(src + step * kDlrmStepBytes),
                             (__m512bh)_mm512_loadu_si512(w.weights + step * kDlrmStep));
    }
    w.dst[m] = _mm512_reduce_add_ps(sum) + w.bias;
  }
}

void dlrm_codes_avx512_bf16(const std::uint8_t* row, std::int64_t dim, const std::uint16_t* levels,
                            std::uint16_t* dst) {
  const auto first_lanes = [](std::int64_t count) {
    return static_cast<__mmask32>(count >= 32 ? ~0U : count > 0 ? (1U << count) - 1U : 0U);
  };
  const __m512i table = _mm512_loadu_si512(levels);
  const std::int64_t half = (dim + 1) / 2;
  for (std::int64_t i = 0; i < half; i += 32) {
    const __mmask32 low = first_lanes(half - i), high = first_lanes(dim - half - i);
    const __m512i codes = _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(low, row + i));
    const __m512i low_codes = _mm512_and_si512(codes, _mm512_set1_epi16(15));
    _mm512_mask_storeu_epi16(dst + i, low, _mm512_permutexvar_epi16(low_codes, table));
    _mm512_mask_storeu_epi16(dst + half + i, high,
                             _mm512_permutexvar_epi16(_mm512_srli_epi16(codes, 4), table));
  }
}

void dlrm_round_avx512_bf16(const float* values, std::int64_t count, std::uint16_t* dst) {
  for (std::int64_t i = 0; i < count; i += 16) {
    const auto there = static_cast<__mmask16>(count - i >= 16 ? 0xFFFF : (1 << (count - i)) - 1);
    const __m256bh rounded = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(there, values + i));
    _mm256_mask_storeu_epi16(dst + i, there, (__m256i)rounded);
  }
}

}  // namespace octavo
