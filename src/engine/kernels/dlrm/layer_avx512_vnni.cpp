#include <cstring>

#include "engine/kernels/dlrm/finish_avx512.h"
#include "engine/kernels/vnni.h"

namespace octavo {
namespace {

/// The sums of `rows` samples of a panel, 16 outputs at `sums`, the others 256 further on. A single sample
/// has four sums of each output under way: one would wait for itself.
template <int rows>
OCTAVO_INLINE void multiply_rows(const DlrmLayerWork& w, const std::uint8_t* src, const std::int8_t* weights,
                                 std::int64_t panel, std::int32_t* sums) {
  constexpr int kChains = rows == 1 ? 4 : 1;
  __m512i sum[rows * kChains][2] = {};
  std::int64_t quads_left = w.quads;
  for (std::int64_t step = 0; step < w.steps; ++step, src += kDlrmStepBytes, weights += kDlrmStepBytes) {
    const std::int64_t quads = quads_left < 16 ? quads_left : 16;
    quads_left -= quads;
    for (std::int64_t first = 0; first < quads; first += kChains) {
#pragma GCC unroll 4
      for (std::int64_t chain = 0; chain < kChains; ++chain) {
        const std::int64_t quad = first + chain;
        const __m512i left = _mm512_load_si512(weights + quad * 64);
        const __m512i right = _mm512_load_si512(weights + 1024 + quad * 64);
#pragma GCC unroll 8
        for (std::int64_t row = 0; row < rows; ++row) {
          std::uint32_t four;
          std::memcpy(&four, src + row * kDlrmStep + quad * 4, 4);
          const __m512i x = _mm512_set1_epi32(static_cast<int>(four));
          const std::int64_t i = row * kChains + chain;
          sum[i][0] = with_products(sum[i][0], x, left);
          sum[i][1] = with_products(sum[i][1], x, right);
        }
      }
    }
  }
  for (std::int64_t half = 0; half < 2; ++half) {
    const __m512i excess = w.src_is_signed != 0
                               ? _mm512_loadu_si512(w.excess + panel * kDlrmPanel + 16 * half)
                               : _mm512_setzero_si512();
#pragma GCC unroll 8
    for (std::int64_t row = 0; row < rows; ++row) {
      __m512i total = sum[row * kChains][half];
      for (std::int64_t chain = 1; chain < kChains; ++chain)
        total = _mm512_add_epi32(total, sum[row * kChains + chain][half]);
      _mm512_store_si512(sums + 256 * half + 16 * row, _mm512_sub_epi32(total, excess));
    }
  }
}

}  // namespace

void dlrm_layer_avx512_vnni(const DlrmLayerWork& w) {
  alignas(64) std::int32_t sums[512] = {};
  for (std::int64_t i = 0; i < w.panels; ++i) {
    const std::int64_t panel = w.backwards != 0 ? w.panels - 1 - i : i;
    const std::int8_t* const weights = w.weights + panel * w.steps * kDlrmStepBytes;
    const PanelRule rule = panel_rule(w, panel);
    for (std::int64_t sample = 0; sample < w.samples;) {
      const std::int64_t group = sample / kDlrmGroup, row = sample % kDlrmGroup;
      const std::uint8_t* const src = w.src + group * w.steps * kDlrmStepBytes + row * kDlrmStep;
      const std::int64_t rows = w.samples - sample >= 8 ? 8 : w.samples - sample >= 4 ? 4 : 1;
      if (rows == 8) {
        multiply_rows<8>(w, src, weights, panel, sums);
      } else if (rows == 4) {
        multiply_rows<4>(w, src, weights, panel, sums);
      } else {
        multiply_rows<1>(w, src, weights, panel, sums);
      }
      for (std::int64_t pair = 0; pair < rows; pair += 2) {
        finish_two(sums + 16 * pair, sums + 256 + 16 * pair, rule,
                   panel_dst(w, group, panel) + (row + pair) * kDlrmStep);
      }
      sample += rows;
    }
  }
}

void dlrm_input_avx512_vnni(const DlrmInputWork& w) {
  const __m512 inverse = _mm512_set1_ps(w.inverse_scale);
  const __m512 lowest = _mm512_set1_ps(static_cast<float>(-w.zero_point));
  const __m512 highest = _mm512_set1_ps(static_cast<float>(255 - w.zero_point));
  for (std::int64_t m = 0; m < w.samples; ++m) {
    std::uint8_t* const sample =
        w.packed + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    for (std::int64_t i = 0; i < w.features; i += 16) {
      const std::int64_t left = w.features - i;
      const auto there = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
      const __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(there, w.dense + m * w.features + i), inverse);
      const __m512 rounded_x = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      const __m512 inside = _mm512_min_ps(highest, _mm512_max_ps(rounded_x, lowest));
      const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(inside), _mm512_set1_epi32(w.zero_point));
      _mm_store_si128(reinterpret_cast<__m128i*>(sample + i / kDlrmStep * kDlrmStepBytes + i % kDlrmStep),
                      _mm512_cvtepi32_epi8(q));
    }
  }
}

void dlrm_last_avx512_vnni(const DlrmLastWork& w) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(w.src_is_signed != 0 ? 0x80 : 0));
  for (std::int64_t m = 0; m < w.samples; ++m) {
    const std::uint8_t* const src =
        w.src + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    __m512i sum = _mm512_setzero_si512();
    for (std::int64_t step = 0; step < w.steps; ++step) {
      const __m512i x = _mm512_xor_si512(_mm512_load_si512(src + step * kDlrmStepBytes), flip);
      sum = _mm512_dpbusd_epi32(sum, x, _mm512_loadu_si512(w.weights + step * kDlrmStep));
    }
    w.dst[m] =
        __builtin_fmaf(static_cast<float>(_mm512_reduce_add_epi32(sum) - w.excess), w.multiplier, w.bias);
  }
}

}  // namespace octavo
