#include <immintrin.h>

#include "engine/kernels/dlrm/float_layer.h"

namespace octavo {
namespace {

/// `rows` samples x one panel.
template <int rows>
inline void multiply_block(const FloatLayerWork& w, std::int64_t panel, std::int64_t sample) {
  const float* const weights = w.weights + panel * w.inputs * kFloatPanel;
  const float* const src = w.src + sample * w.src_stride;
  __m512 sum[rows][2];
  for (std::int64_t half = 0; half < 2; ++half) {
    const __m512 bias = _mm512_loadu_ps(w.bias + panel * kFloatPanel + 16 * half);
#pragma GCC unroll 12
    for (std::int64_t row = 0; row < rows; ++row) sum[row][half] = bias;
  }
  for (std::int64_t k = 0; k < w.inputs; ++k) {
    const __m512 left = _mm512_loadu_ps(weights + k * kFloatPanel);
    const __m512 right = _mm512_loadu_ps(weights + k * kFloatPanel + 16);
#pragma GCC unroll 12
    for (std::int64_t row = 0; row < rows; ++row) {
      const __m512 x = _mm512_set1_ps(src[row * w.src_stride + k]);
      sum[row][0] = _mm512_fmadd_ps(x, left, sum[row][0]);
      sum[row][1] = _mm512_fmadd_ps(x, right, sum[row][1]);
    }
  }
  // max gives its second operand where one is NaN: NaN stays NaN, as in the reference.
  const __m512 lowest = _mm512_set1_ps(w.has_relu != 0 ? 0.0F : -__builtin_inff());
  float* const dst = w.dst + sample * w.dst_stride + panel * kFloatPanel;
#pragma GCC unroll 12
  for (std::int64_t row = 0; row < rows; ++row) {
    _mm512_storeu_ps(dst + row * w.dst_stride, _mm512_max_ps(lowest, sum[row][0]));
    _mm512_storeu_ps(dst + row * w.dst_stride + 16, _mm512_max_ps(lowest, sum[row][1]));
  }
}

}  // namespace

void float_layer_avx512(const FloatLayerWork& w) {
  for (std::int64_t panel = 0; panel < w.panels; ++panel) {
    std::int64_t sample = 0;
    for (; sample + 12 <= w.samples; sample += 12) multiply_block<12>(w, panel, sample);
    for (; sample + 4 <= w.samples; sample += 4) multiply_block<4>(w, panel, sample);
    for (; sample < w.samples; ++sample) multiply_block<1>(w, panel, sample);
  }
}

}  // namespace octavo
