#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level quantized addition of 8-bit values; included by ISA files.

/// FBGEMM's:  y = clamp(rint((fma(a, a_scale, a_offset) + fma(b, b_scale, b_offset)) * inverse)) +
/// zero_point, or, with `ort`, ONNX Runtime's:  y = clamp(rint(fma(a, a_scale, fma(b, b_scale, b_offset)))).
/// `lowest` and `highest` bound the rounded number, before zero_point is added; y's low 8 bits are stored. a
/// is u8(stored ^ a_flip) - a_flip, b likewise: flips are 0x80 for s8, 0 for u8.
struct AddU8 {
  float a_scale = 0, a_offset = 0, b_scale = 0, b_offset = 0, inverse = 1, lowest = 0, highest = 0;
  std::int32_t zero_point = 0;
  std::int32_t ort = 0;
  std::int32_t a_flip = 0, b_flip = 0;
};

using AddU8Run = void (*)(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                          std::int64_t count);
void add_u8_avx2(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                 std::int64_t count);
void add_u8_avx512(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                   std::int64_t count);

}  // namespace octavo
