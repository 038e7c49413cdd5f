#pragma once
#include <cstdint>

// A fully connected layer in f32: pointers and sizes only, for files compiled for one ISA.

namespace octavo {

/// Outputs are packed in panels of this many: weights [panel][input][32].
inline constexpr std::int64_t kFloatPanel = 32;

/// For every sample m and output n of the panels: the sum begins as bias[n], then for each input k in order
/// it becomes fma(src[m][k], weights[n][k], sum); with has_relu it is max(sum, 0). Every kernel gives these
/// bits.
struct FloatLayerWork {
  const float* src;
  std::int64_t src_stride;  ///< floats from one sample to the next
  std::int64_t inputs;
  const float* weights;
  const float* bias;  ///< of whole panels
  std::int64_t panels;
  std::int32_t has_relu;
  float* dst;
  std::int64_t dst_stride;  ///< at least whole panels
  std::int64_t samples;
};

void float_layer_reference(const FloatLayerWork& work);
void float_layer_avx2(const FloatLayerWork& work);
void float_layer_avx512(const FloatLayerWork& work);

}  // namespace octavo
