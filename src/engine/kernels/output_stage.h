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
///   f = f32(sum [+ s32 bias]) [+ bias_in_sums(c, f32 bias)]        m[c] = f32(scale(x) * scale(w)[c])
///   q = clamp(rint(f * f32(m[c] / scale(y))) + zero_point(y))
struct OutputStage {
  std::vector<float> scale_of_sum;  ///< m[c]: one unit of a sum in reals
  std::vector<float> multiplier;    ///< f32(m[c] / scale of the requantized result)
  bool one_weight_scale = false;    ///< the weights are quantized per tensor
  std::int32_t zero_point = 0;      ///< of the requantized result: y, or before the residual is added
  StoredRange range;                ///< of the requantized result, its activation included

  // Where a residual is added, y = clamp(rint((d(q) + d(residual)) * inverse_scale) + sum_zero_point) with
  // d(q) = fma(q, scale, -zero_point * scale).
  TensorQuantization result;    ///< of the requantized convolution
  TensorQuantization residual;  ///< of the residual
  float inverse_scale = 1.0F;   ///< f32(1 / scale(y))
  std::int32_t sum_zero_point = 0;
  StoredRange sum_range;  ///< of y, its activation included

  /// A real bias of channel `c` in units of the sum. FBGEMM divides by each channel's m, but multiplies by f32(1 / m) where
  /// the weights have one scale; the two round differently.
  [[nodiscard]] float bias_in_sums(std::size_t c, float bias) const noexcept {
    if (one_weight_scale) return bias * (1.0F / scale_of_sum[c]);
    return bias / scale_of_sum[c];
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
