#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level quantized addition of u8 values; included by ISA files.

/// FBGEMM's:  y = clamp(rint((fma(a, a_scale, a_offset) + fma(b, b_scale, b_offset)) * inverse)) +
/// zero_point, or, with `ort`, ONNX Runtime's:  y = clamp(rint(fma(a, a_scale, fma(b, b_scale, b_offset)))).
/// `lowest` and `highest` bound the rounded number, before zero_point is added.
struct AddU8 {
  float a_scale, a_offset, b_scale, b_offset, inverse, lowest, highest;
  std::int32_t zero_point;
  std::int32_t ort;
};

using AddU8Run = void (*)(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                          std::int64_t count);
void add_u8_avx2(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                 std::int64_t count);
void add_u8_avx512(const AddU8& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* y,
                   std::int64_t count);

}  // namespace octavo
