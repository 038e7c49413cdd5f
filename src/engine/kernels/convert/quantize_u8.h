#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level conversions between f32 and 8 bits; included by ISA files.

/// y = clamp(rint(x * factor), or of x / factor when `divide` is not 0) + zero_point; `lowest` and `highest`
/// bound the rounded number, before zero_point is added; y's low 8 bits are stored. A NaN becomes the lowest.
struct QuantizeU8 {
  float factor;
  std::int32_t divide;
  float lowest, highest;
  std::int32_t zero_point;
};

/// y = (u8(x ^ flip) - zero_point) * scale: flip is 0x80 for s8, whose zero point is then 128 more.
struct DequantizeU8 {
  float scale;
  std::int32_t zero_point;
  std::uint8_t flip;
};

using QuantizeRun = void (*)(const QuantizeU8& q, const float* x, std::uint8_t* y, std::int64_t count);
/// Three planes of reals, `plane` apart, to `count` pixels of three neighbours.
using QuantizePixels = void (*)(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                                std::int64_t count);
/// The same to pixels of 4 bytes, the last of no meaning, two by two: `pair` bytes, 8 or 16, from each two to
/// the next two.
using QuantizePairs = void (*)(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                               std::int64_t count, std::int64_t pair);
using DequantizeRun = void (*)(const DequantizeU8& d, const std::uint8_t* x, float* y, std::int64_t count);

void quantize_u8_avx2(const QuantizeU8& q, const float* x, std::uint8_t* y, std::int64_t count);
void quantize_u8_avx512(const QuantizeU8& q, const float* x, std::uint8_t* y, std::int64_t count);
void quantize_pixels_avx2(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                          std::int64_t count);
void quantize_pairs_avx512(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                           std::int64_t count, std::int64_t pair);
void quantize_pixels_avx512(const QuantizeU8& q, const float* x, std::int64_t plane, std::uint8_t* y,
                            std::int64_t count);
void dequantize_u8_avx2(const DequantizeU8& d, const std::uint8_t* x, float* y, std::int64_t count);
void dequantize_u8_avx512(const DequantizeU8& d, const std::uint8_t* x, float* y, std::int64_t count);

}  // namespace octavo
