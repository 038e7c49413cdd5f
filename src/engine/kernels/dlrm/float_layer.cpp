#include "engine/kernels/dlrm/float_layer.h"

#include <algorithm>
#include <cmath>

namespace octavo {

void float_layer_reference(const FloatLayerWork& w) {
  for (std::int64_t m = 0; m < w.samples; ++m) {
    for (std::int64_t n = 0; n < w.panels * kFloatPanel; ++n) {
      const float* const weights = w.weights + n / kFloatPanel * w.inputs * kFloatPanel + n % kFloatPanel;
      float sum = w.bias[n];
      for (std::int64_t k = 0; k < w.inputs; ++k)
        sum = std::fma(w.src[m * w.src_stride + k], weights[k * kFloatPanel], sum);
      w.dst[m * w.dst_stride + n] = w.has_relu != 0 ? std::max(sum, 0.0F) : sum;
    }
  }
}

}  // namespace octavo
