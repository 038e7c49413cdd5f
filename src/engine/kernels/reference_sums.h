#pragma once
#include <algorithm>
#include <cstdint>

#include "engine/kernels/activation.h"
#include "engine/kernels/kernel.h"
#include "engine/kernels/output_stage.h"

namespace octavo {

// What the reference kernels of conv2d, linear and matmul share: plain, scalar, one result at a time.

/// Element `i` of an 8-bit tensor.
inline std::int32_t stored_at(const std::byte* data, DType dtype, std::int64_t i) noexcept {
  return dtype == DType::s8 ? reinterpret_cast<const std::int8_t*>(data)[i]
                            : reinterpret_cast<const std::uint8_t*>(data)[i];
}

/// The low byte of `q` is its u8 and its s8 form.
inline void store_stored(std::byte* data, std::int64_t i, std::int32_t q) noexcept {
  data[i] = static_cast<std::byte>(q & 0xFF);
}

/// Sums are 32 bits wide; a longer one wraps as two's complement does.
inline std::int32_t wrapped(std::int64_t sum) noexcept { return static_cast<std::int32_t>(sum); }

inline float activated(float v, Activation activation, float lo, float hi) noexcept {
  if (activation == Activation::relu) return std::max(v, 0.0F);
  if (activation == Activation::clamp) return std::min(std::max(v, lo), hi);
  return v;
}

/// The bias as the output stage adds it: to the sum when s32, after its conversion to f32 when f32.
struct BiasAt {
  std::int64_t in_sum = 0;
  float addend = 0.0F;  ///< OutputStage::bias_addend
};

/// Bias of the channel `c` of `data` whose place in the stage is `stage_channel`.
inline BiasAt bias_at(Bias bias, const std::byte* data, std::int64_t c, const OutputStage& stage,
                      std::size_t stage_channel) noexcept {
  if (bias == Bias::s32) return {reinterpret_cast<const std::int32_t*>(data)[c], 0.0F};
  if (bias == Bias::f32) {
    return {0, stage.bias_addend(stage_channel, reinterpret_cast<const float*>(data)[c])};
  }
  return {};
}

}  // namespace octavo
