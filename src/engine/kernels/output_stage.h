#pragma once
#include <cstdint>
#include <vector>

#include "engine/kernels/activation.h"
#include "engine/kernels/kernel.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {

/// What becomes of the exact sums of a convolution or linear layer: the numbers of docs/numerics.md's "conv /
/// linear" and "add", worked out once from a step's operands, for the reference and for packed kernels alike.
///
///   f = f32(sum [+ s32 bias])                              m[c] = f32(scale(x) * scale(w)[c])
///   f = fma(bias_addend(c, f32 bias), bias_factor, f)      where there is an f32 bias
///   q = clamp(rint(f * f32(m[c] / scale(y))) + zero_point(y))
struct OutputStage {
  std::vector<float> scale_of_sum;  ///< m[c]: one unit of a sum in reals
  std::vector<float> multiplier;    ///< f32(m[c] / scale of the requantized result)
  float bias_factor = 1.0F;         ///< f32(1 / m) where the weights have one scale, else 1
  bool one_weight_scale = false;    ///< the weights are quantized per tensor
  std::int32_t zero_point = 0;      ///< of the requantized result: y, or before the residual is added
  StoredRange range;                ///< of the requantized result, its activation included

  // Where a residual is added (docs/numerics.md's "add"):
  TensorQuantization result;    ///< of the requantized convolution
  TensorQuantization residual;  ///< of the residual
  TensorQuantization sum;       ///< of y
  StoredRange sum_range;        ///< of y, its activation included

  /// What of channel `c`'s real bias is multiplied by bias_factor and added to the sum in one rounding.
  /// FBGEMM divides the bias by each channel's m, but where the weights have one scale it multiplies by 1 / m
  /// within the addition.
  [[nodiscard]] float bias_addend(std::size_t c, float bias) const noexcept {
    return one_weight_scale ? bias : bias / scale_of_sum[c];
  }
  /// Divides the bias by m although the weights have one scale.
  void divide_bias() noexcept {
    one_weight_scale = false;
    bias_factor = 1.0F;
  }
};

/// The values that results of `dtype` may take under an activation, clamp's bounds from `parameters`' lo, hi.
StoredRange activated_range(DType dtype, std::int32_t zero_point, Activation activation,
                            const Parameters& parameters);

/// The stage of a layer without residual; y is operands.output.
OutputStage output_stage(const Operands& operands, std::int64_t channels, Activation activation);
/// The stage of a convolution to which operand 2 is added.
OutputStage output_stage_with_residual(const Operands& operands, std::int64_t channels,
                                       Activation conv_activation, Activation activation);

}  // namespace octavo
