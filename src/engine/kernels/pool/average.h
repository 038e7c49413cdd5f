#pragma once
#include <cstdint>

#include "engine/kernels/element_types.h"
#include "engine/kernels/pool/problem.h"

namespace octavo {

/// By what S of average_of_sum is multiplied; 0 for an empty window.
inline float average_multiplier(std::int64_t count, const Affine& x, const Affine& y,
                                AverageRounding rounding) noexcept {
  if (count == 0) return 0.0F;
  const auto n = static_cast<float>(count);
  return rounding == AverageRounding::ort ? x.scale / (y.scale * n) : x.scale / y.scale / n;
}

/// The average of `count` quantized values from their exact sum, for the output's quantization `y`
/// (docs/numerics.md): with S = sum of (q - zero_point of x),
///   channels_last  rint(f32(S) * f32(f32(scale_x / scale_y) / count)) + zero_point_y
///   contiguous     rint(sum of q / count) when x and y share a quantization, else as channels_last
///   ort            rint(f32(S) * f32(scale_x / f32(scale_y * count))) + zero_point_y, of a whole image;
///                  for other windows see average_of_window_ort
/// `sum` is S. A window without values gives the zero point.
inline std::int32_t average_of_sum(std::int64_t sum, std::int64_t count, const Affine& x, const Affine& y,
                                   AverageRounding rounding) noexcept {
  if (count == 0) return y.zero_point;
  const auto n = static_cast<float>(count);
  if (rounding == AverageRounding::contiguous && x == y) {
    const auto stored = static_cast<float>(sum + count * x.zero_point);
    return clamp_stored(std::nearbyint(stored / n), 0, y.range);
  }
  const float multiplier = rounding == AverageRounding::ort ? x.scale / (y.scale * n) : x.scale / y.scale / n;
  return clamp_stored(std::nearbyint(static_cast<float>(sum) * multiplier), y.zero_point, y.range);
}

/// ONNX Runtime's average over a window: `sum` of the dequantized values in f32, in the order of the rows.
inline std::int32_t average_of_window_ort(float sum, std::int64_t count, const Affine& y) noexcept {
  if (count == 0) return y.zero_point;
  const float real = sum / static_cast<float>(count);
  return clamp_stored(std::nearbyint(real / y.scale + static_cast<float>(y.zero_point)), 0, y.range);
}

}  // namespace octavo
