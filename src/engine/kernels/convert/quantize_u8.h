#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level conversions between f32 and u8; included by ISA files.

/// y = clamp(rint(x * factor), or of x / factor when `divide` is not 0) + zero_point; `lowest` and `highest`
/// bound the rounded number, before zero_point is added. A NaN becomes the lowest.
struct QuantizeU8 {
  float factor;
  std::int32_t divide;
  float lowest, highest;
  std::int32_t zero_point;
};

using QuantizeRun = void (*)(const QuantizeU8& q, const float* x, std::uint8_t* y, std::int64_t count);
/// Three planes of reals, `plane` apart, to `count` pixels of three neighbours.
using QuantizePixels = void (*)(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                                std::int64_t count);
/// y = (x - zero_point) * scale.
using DequantizeRun = void (*)(float scale, std::int32_t zero_point, const std::uint8_t* x, float* y,
                               std::int64_t count);

void quantize_u8_avx2(const QuantizeU8& q, const float* x, std::uint8_t* y, std::int64_t count);
void quantize_u8_avx512(const QuantizeU8& q, const float* x, std::uint8_t* y, std::int64_t count);
void quantize_pixels_avx2(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                          std::int64_t count);
void quantize_pixels_avx512(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                            std::int64_t count);
void dequantize_u8_avx2(float scale, std::int32_t zero_point, const std::uint8_t* x, float* y,
                        std::int64_t count);
void dequantize_u8_avx512(float scale, std::int32_t zero_point, const std::uint8_t* x, float* y,
                          std::int64_t count);

}  // namespace octavo
