#include <immintrin.h>

#include "engine/kernels/dlrm/float_layer.h"

namespace octavo {
namespace {

/// `rows` samples x 16 outputs from `half` * 16 of the panel on.
template <int rows>
inline void multiply_block(const FloatLayerWork& w, std::int64_t panel, std::int64_t half,
                           std::int64_t sample) {
  const float* const weights = w.weights + panel * w.inputs * kFloatPanel + 16 * half;
  const float* const src = w.src + sample * w.src_stride;
  __m256 sum[rows][2];
  for (std::int64_t side = 0; side < 2; ++side) {
    const __m256 bias = _mm256_loadu_ps(w.bias + panel * kFloatPanel + 16 * half + 8 * side);
#pragma GCC unroll 6
    for (std::int64_t row = 0; row < rows; ++row) sum[row][side] = bias;
  }
  for (std::int64_t k = 0; k < w.inputs; ++k) {
    const __m256 left = _mm256_loadu_ps(weights + k * kFloatPanel);
    const __m256 right = _mm256_loadu_ps(weights + k * kFloatPanel + 8);
#pragma GCC unroll 6
    for (std::int64_t row = 0; row < rows; ++row) {
      const __m256 x = _mm256_broadcast_ss(src + row * w.src_stride + k);
      sum[row][0] = _mm256_fmadd_ps(x, left, sum[row][0]);
      sum[row][1] = _mm256_fmadd_ps(x, right, sum[row][1]);
    }
  }
  // max gives its second operand where one is NaN: NaN stays NaN, as in the reference.
  const __m256 lowest = _mm256_set1_ps(w.has_relu != 0 ? 0.0F : -__builtin_inff());
  float* const dst = w.dst + sample * w.dst_stride + panel * kFloatPanel + 16 * half;
#pragma GCC unroll 6
  for (std::int64_t row = 0; row < rows; ++row) {
    _mm256_storeu_ps(dst + row * w.dst_stride, _mm256_max_ps(lowest, sum[row][0]));
    _mm256_storeu_ps(dst + row * w.dst_stride + 8, _mm256_max_ps(lowest, sum[row][1]));
  }
}

}  // namespace

void float_layer_avx2(const FloatLayerWork& w) {
  for (std::int64_t panel = 0; panel < w.panels; ++panel) {
    for (std::int64_t half = 0; half < 2; ++half) {
      std::int64_t sample = 0;
      for (; sample + 6 <= w.samples; sample += 6) multiply_block<6>(w, panel, half, sample);
      for (; sample < w.samples; ++sample) multiply_block<1>(w, panel, half, sample);
    }
  }
}

}  // namespace octavo
