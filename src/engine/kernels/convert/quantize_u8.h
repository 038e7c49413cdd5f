#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level conversions between f32 and u8; included by ISA files.

/// What of x is rounded.
enum class Scaling : std::int32_t {
  product,   ///< x * inverse, in f32
  quotient,  ///< x / scale, in f32
  /// The same where it is rounded to what matters, without dividing: q = x * inverse is corrected twice by
  /// fma(fma(-q, scale, x), inverse, q), which gives the correctly rounded quotient when inverse = f32(1 /
  /// scale) (Markstein, Computation of elementary functions on the IBM RISC System/6000 processor, 1990). For
  /// x of moderate size: x is brought into [least_x, most_x] first, beyond which results are lowest and
  /// highest.
  corrected,
};

/// y = clamp(rint(scaled x)) + zero_point; `lowest` and `highest` bound the rounded number, before zero_point
/// is added. A NaN becomes the lowest.
struct QuantizeU8 {
  float scale, inverse;
  Scaling scaling;
  float least_x, most_x;
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
