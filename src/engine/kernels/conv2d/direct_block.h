#pragma once
#include <cstddef>
#include <cstdint>

namespace octavo {

// What the driver of the direct kernels (direct.cpp, depthwise.cpp) hands to the files that are compiled for
// one ISA each. Plain pointers only.

/// How sums become results; numerics.md's "conv / linear". Arrays are in the kernel's order of channels and
/// as long as whole panels; `start` is what each channel's sum begins with.
struct OutputRule {
  const std::int32_t* start;
  const float* bias;        ///< OutputStage::bias_addend (stored results) or in reals (f32 results)
  const float* multiplier;  ///< f32(m / scale(y)) or m
  float bias_factor;        ///< of stored results: f32(sum) becomes fma(bias, bias_factor, f32(sum))
  float lowest, highest;    ///< of a stored result less its zero point, or of an f32 result
  std::int32_t zero_point;
  // With a residual: y = clamp(rint((fma(q, q_scale, q_offset) + fma(r, r_scale, r_offset)) *
  // inverse_scale)).
  float q_scale, q_offset, r_scale, r_offset, inverse_scale;
  float sum_lowest, sum_highest;  ///< of y less its zero point
  std::int32_t sum_zero_point;
  std::int32_t r_is_signed;
};

/// One panel of output channels for a run of output pixels.
struct PanelBlock {
  const std::uint8_t* const* windows;  ///< where in the input each pixel's window begins
  std::int64_t pixels;
  const std::int64_t* taps;  ///< bytes from there to each run of input that is multiplied
  std::int64_t tap_count;
  std::int64_t steps;           ///< of 4 bytes in each run
  const std::uint8_t* weights;  ///< [tap][step][channel of the panel][4 bytes]
  std::int64_t channels;        ///< of the panel that there are
  std::uint8_t* dst;            ///< the panel's first channel of the first pixel
  std::int64_t dst_stride;      ///< bytes from pixel to pixel
  const std::uint8_t* residual;
  std::int64_t residual_stride;
  OutputRule rule;  ///< arrays begin at the panel
};

/// All channels of a depthwise convolution for a run of output pixels. In `weights` and `rule` the channels
/// of a block stand in the order in which interleaving taps leaves them: depthwise.cpp's lane_order.
struct DepthwiseBlock {
  const std::uint8_t* const* windows;
  std::int64_t pixels;
  const std::int64_t* taps;
  std::int64_t tap_groups;  ///< taps come in groups of 4 (bytes) or 2 (widened), filled up with zero weights
  const std::uint8_t* weights;  ///< [block of channels][group of taps][channel][4 bytes]
  std::int64_t channels;
  std::uint8_t* dst;
  std::int64_t dst_stride;
  OutputRule rule;
};

// AVX-512 VNNI: input u8, weights s8, panels of 32 channels, depthwise blocks of 64.
void multiply_stored_avx512_vnni(const PanelBlock& block);
void multiply_residual_avx512_vnni(const PanelBlock& block);
void multiply_real_avx512_vnni(const PanelBlock& block);
void depthwise_avx512_vnni(const DepthwiseBlock& block);

// AVX2: input and weights s16 without zero points, panels of 16 channels, depthwise blocks of 16.
void multiply_stored_avx2(const PanelBlock& block);
void multiply_residual_avx2(const PanelBlock& block);
void multiply_real_avx2(const PanelBlock& block);
void depthwise_avx2(const DepthwiseBlock& block);

}  // namespace octavo
