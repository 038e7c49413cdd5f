#pragma once
#include <array>
#include <span>
#include <string_view>

#include "octavo/tensor.h"

namespace octavo {

/// What is done to a result before it is stored. relu: max(v, 0) of reals, max(q, zero_point) of quantized
/// values; clamp: to [lo, hi], parameters in units of the stored elements.
enum class Activation { none, relu, clamp };
inline std::span<const std::string_view> enum_names(Activation) {
  static constexpr std::array<std::string_view, 3> kNames{"none", "relu", "clamp"};
  return kNames;
}

/// Whose rounding a quantized result follows: docs/numerics.md.
enum class Arithmetic { fbgemm, ort };
inline std::span<const std::string_view> enum_names(Arithmetic) {
  static constexpr std::array<std::string_view, 2> kNames{"fbgemm", "ort"};
  return kNames;
}

/// The type of a bias: none; f32 reals (fbgemm and float problems); s32 in units of scale(x) * scale(w)
/// (ort).
enum class Bias { none, f32, s32 };
inline std::span<const std::string_view> enum_names(Bias) {
  static constexpr std::array<std::string_view, 3> kNames{"none", "f32", "s32"};
  return kNames;
}

constexpr DType bias_dtype(Bias bias) noexcept { return bias == Bias::s32 ? DType::s32 : DType::f32; }

}  // namespace octavo
