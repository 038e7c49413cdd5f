#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "engine/kernels/element_types.h"
#include "engine/kernels/eltwise/binary_problem.h"

namespace octavo {

// The scalar meaning of the binary operators; never include this from an ISA file.

/// FBGEMM's quantized add: both dequantized with an fma, added in f32, quantized.
inline std::int32_t add_fbgemm(std::int32_t a, std::int32_t b, const Affine& qa, const Affine& qb,
                               const Affine& qy, bool relu) noexcept {
  const float sum =
      dequantize_for_add(a, qa.scale, qa.zero_point) + dequantize_for_add(b, qb.scale, qb.zero_point);
  return quantize_with(relu ? std::max(sum, 0.0F) : sum, qy, false);
}

/// ONNX Runtime's: with ra = f32(sa / sy), rb = f32(sb / sy) and the zero points in one f32 number
///   p = f32(zy - fma(ra, za, f32(rb * zb))), the result is rint(fma(a, ra, fma(b, rb, p))).
inline std::int32_t add_ort(std::int32_t a, std::int32_t b, const Affine& qa, const Affine& qb,
                            const Affine& qy) noexcept {
  const float ra = qa.scale / qy.scale, rb = qb.scale / qy.scale;
  const auto za = static_cast<float>(qa.zero_point), zb = static_cast<float>(qb.zero_point);
  const float p = static_cast<float>(qy.zero_point) - std::fma(ra, za, rb * zb);
  const float sum = std::fma(static_cast<float>(a), ra, std::fma(static_cast<float>(b), rb, p));
  return clamp_stored(std::nearbyint(sum), 0, qy.range);
}

/// FBGEMM's quantized mul: the integer product times one f32 multiplier f32(f32(sa * sb) * f32(1 / sy)).
inline std::int32_t mul_fbgemm(std::int32_t a, std::int32_t b, const Affine& qa, const Affine& qb,
                               const Affine& qy) noexcept {
  const float multiplier = qa.scale * qb.scale * qy.inverse;
  const auto product = static_cast<float>((a - qa.zero_point) * (b - qb.zero_point));
  return clamp_stored(std::nearbyint(product * multiplier), qy.zero_point, qy.range);
}

/// ONNX Runtime's: the product times f32(f32(sa * sb) / sy), plus the zero point, rounded last.
inline std::int32_t mul_ort(std::int32_t a, std::int32_t b, const Affine& qa, const Affine& qb,
                            const Affine& qy) noexcept {
  const float multiplier = qa.scale * qb.scale / qy.scale;
  const auto product = static_cast<float>((a - qa.zero_point) * (b - qb.zero_point));
  return clamp_stored(std::nearbyint(product * multiplier + static_cast<float>(qy.zero_point)), 0, qy.range);
}

/// The stored values that `activation` leaves of a quantized result's range; lo and hi are rounded down.
inline StoredRange activation_bounds(Activation activation, const Operands& operands, const Affine& y) {
  if (activation == Activation::relu) return {y.zero_point, y.range.highest};
  if (activation == Activation::none) return y.range;
  const double lowest = y.range.lowest, highest = y.range.highest;
  const double lo = std::floor(operands.parameter("lo", lowest)),
               hi = std::floor(operands.parameter("hi", highest));
  return {static_cast<std::int32_t>(std::max(lowest, std::min(highest, lo))),
          static_cast<std::int32_t>(std::max(lowest, std::min(highest, hi)))};
}

/// Integers wrap around.
template <class T>
T power_of_integer(T base, T exponent) noexcept {
  using U = std::make_unsigned_t<T>;
  if (exponent < 0) return base == 1 || (base == -1 && exponent % 2 == 0) ? T{1} : base == -1 ? T{-1} : T{0};
  U result = 1, square = static_cast<U>(base);
  for (auto left = static_cast<U>(exponent); left != 0; left >>= 1U) {
    if ((left & 1U) != 0) result *= square;
    square *= square;
  }
  return static_cast<T>(result);
}

/// Plain numbers. Integers wrap around; an integer divided by zero gives zero. A NaN on either side makes
/// minimum and maximum a NaN.
template <class T>
T binary_value(BinaryKind kind, T a, T b) noexcept {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    const auto ua = static_cast<U>(a), ub = static_cast<U>(b);
    switch (kind) {
      case BinaryKind::add:
        return static_cast<T>(ua + ub);
      case BinaryKind::sub:
        return static_cast<T>(ua - ub);
      case BinaryKind::mul:
        return static_cast<T>(ua * ub);
      case BinaryKind::div:
        return b == 0 ? T{0} : b == -1 ? static_cast<T>(U{0} - ua) : a / b;
      case BinaryKind::minimum:
        return std::min(a, b);
      case BinaryKind::maximum:
        return std::max(a, b);
      case BinaryKind::pow:
        return power_of_integer(a, b);
    }
  } else {
    switch (kind) {
      case BinaryKind::add:
        return a + b;
      case BinaryKind::sub:
        return a - b;
      case BinaryKind::mul:
        return a * b;
      case BinaryKind::div:
        return a / b;
      case BinaryKind::minimum:
        return std::isnan(a) || a < b ? a : b;
      case BinaryKind::maximum:
        return std::isnan(a) || a > b ? a : b;
      case BinaryKind::pow:
        return std::pow(a, b);
    }
  }
  return T{};
}

/// `value` moved into the closed range [lo, hi]; a NaN stays. Bounds may be infinite.
template <class T>
T clamp_value(T value, double lo, double hi) noexcept {
  if (static_cast<double>(value) < lo) return saturated<T>(lo);
  if (static_cast<double>(value) > hi) return saturated<T>(hi);
  return value;
}

}  // namespace octavo
