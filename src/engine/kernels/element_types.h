#pragma once
#include <cstdint>
#include <limits>
#include <type_traits>

#include "engine/kernels/kernel.h"
#include "engine/kernels/operand_quantization.h"
#include "engine/kernels/quantized_math.h"
#include "octavo/tensor.h"

namespace octavo {

// For reference kernels and tables; never include this from an ISA file.

/// Calls visit(T{}) with the C++ type of `dtype`'s elements (booleans are bytes 0 and 1). The half floats
/// have none: kernels that come here refuse them in `supports`.
template <class Visitor>
void visit_type(DType dtype, Visitor&& visit) {
  switch (dtype) {
    case DType::f32:
      return visit(float{});
    case DType::f64:
      return visit(double{});
    case DType::u8:
    case DType::boolean:
      return visit(std::uint8_t{});
    case DType::s8:
      return visit(std::int8_t{});
    case DType::u16:
      return visit(std::uint16_t{});
    case DType::s16:
      return visit(std::int16_t{});
    case DType::s32:
      return visit(std::int32_t{});
    case DType::s64:
      return visit(std::int64_t{});
    case DType::f16:
    case DType::bf16:
      return;
  }
}

constexpr bool is_half_float(DType dtype) noexcept { return dtype == DType::f16 || dtype == DType::bf16; }

/// `value` as a T: truncated towards zero, moved into T's range; a NaN gives zero for integers.
template <class T>
T saturated(double value) noexcept {
  if constexpr (std::is_integral_v<T>) {
    // 2^(bits of the magnitude): the first double beyond T, exact where T's own highest value is not.
    constexpr double kBeyond = 2.0 * static_cast<double>(T{1} << (std::numeric_limits<T>::digits - 1));
    if (value != value) return T{0};
    if (value >= kBeyond) return std::numeric_limits<T>::max();
    if (value <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  }
  return static_cast<T>(value);
}

/// One operand's per-tensor quantization, ready for arithmetic.
struct Affine {
  float scale = 1.0F;
  float inverse = 1.0F;  ///< f32(1 / scale)
  std::int32_t zero_point = 0;
  StoredRange range;
  bool operator==(const Affine& other) const noexcept {
    return scale == other.scale && zero_point == other.zero_point;
  }
};

/// Error(invalid_argument) when `operand` has no quantization, one per axis, a scale that is not a positive
/// finite number or a zero point outside of its dtype.
Affine affine_of(std::string_view family, const Operand& operand);

/// Quantizes `value` for `to` as `arithmetic` says.
inline std::int32_t quantize_with(float value, const Affine& to, bool ort) noexcept {
  return ort ? quantize_value_ort(value, to.scale, to.zero_point, to.range)
             : quantize_value(value, to.inverse, to.zero_point, to.range);
}

/// The 256 results, by the bits of the stored 8-bit input, of a function of the input's real value:
/// dequantize `from`, `function`, quantize for `to`.
template <class Function>
void fill_table(std::uint8_t (&table)[256], DType from_dtype, const Affine& from, const Affine& to, bool ort,
                Function&& function) {
  for (int bits = 0; bits < 256; ++bits) {
    const int stored = from_dtype == DType::s8 ? static_cast<std::int8_t>(bits) : bits;
    const float real = function(dequantize_value(stored, from.scale, from.zero_point));
    table[bits] = static_cast<std::uint8_t>(quantize_with(real, to, ort));
  }
}

}  // namespace octavo
