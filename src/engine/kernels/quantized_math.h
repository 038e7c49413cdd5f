#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace octavo {

// The scalar arithmetic that every integer kernel must equal, one function per rule of docs/numerics.md
// ("FBGEMM's arithmetic"). Each f32 operation is a separate IEEE operation in the order written unless fma is
// said; rounding is to nearest even. For reference kernels, tables and tests; never include this from an ISA
// file.

/// The range of the stored integers, 0..255 for u8, -128..127 for s8.
struct StoredRange {
  std::int32_t lowest = 0;
  std::int32_t highest = 255;
};

inline std::int32_t clamp_stored(float rounded, std::int32_t zero_point, StoredRange range) noexcept {
  // Clamp in f32 first: what is far out of range must not overflow the conversion. A NaN becomes the lowest
  // value.
  const float lowest = static_cast<float>(range.lowest - zero_point);
  const float highest = static_cast<float>(range.highest - zero_point);
  const float inside = rounded > lowest ? std::min(rounded, highest) : lowest;
  return static_cast<std::int32_t>(inside) + zero_point;
}

/// q = clamp(rint(x * inv) + zero_point) with inv = f32(1 / scale).
inline std::int32_t quantize_value(float x, float inverse_scale, std::int32_t zero_point,
                                   StoredRange range) noexcept {
  return clamp_stored(std::nearbyint(x * inverse_scale), zero_point, range);
}

/// ONNX Runtime's: q = clamp(rint(x / scale) + zero_point).
inline std::int32_t quantize_value_ort(float x, float scale, std::int32_t zero_point,
                                       StoredRange range) noexcept {
  return clamp_stored(std::nearbyint(x / scale), zero_point, range);
}

/// (q - zero_point) * scale, as torch.dequantize.
inline float dequantize_value(std::int32_t q, float scale, std::int32_t zero_point) noexcept {
  return static_cast<float>(q - zero_point) * scale;
}

/// The dequantization inside quantized add: fma(q, scale, -zero_point * scale), the product rounded to f32
/// first.
inline float dequantize_for_add(std::int32_t q, float scale, std::int32_t zero_point) noexcept {
  return std::fma(static_cast<float>(q), scale, -static_cast<float>(zero_point) * scale);
}

/// A convolution's or linear layer's sum to its quantized result. `sum` = sum (x - zp_x) * w exactly;
/// `addend` * `factor` is the bias in units of the sum (OutputStage::bias_addend), 0 when there is
/// none; `multiplier` = f32(m / scale_y).
inline std::int32_t requantize_sum(std::int32_t sum, float addend, float factor, float multiplier,
                                   std::int32_t zero_point, StoredRange range) noexcept {
  const float with_bias = std::fma(addend, factor, static_cast<float>(sum));
  return clamp_stored(std::nearbyint(with_bias * multiplier), zero_point, range);
}

}  // namespace octavo
