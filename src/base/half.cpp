#include "base/half.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octavo {
namespace {

constexpr std::uint32_t kInfinity = 0x7C00, kNan = 0x7E00;
constexpr int kLowestExponent = -14, kFractionBits = 10;

std::uint32_t magnitude_bits(float magnitude) noexcept {
  if (std::isnan(magnitude)) return kNan;
  if (magnitude >= 65520.0F) return kInfinity;
  if (magnitude == 0.0F) return 0;
  const int exponent = std::max(std::ilogb(magnitude), kLowestExponent);
  // In units of the last place: below 2^11, or 2^11 itself where rounding carries into the exponent.
  const auto units =
      static_cast<std::int32_t>(std::nearbyint(std::ldexp(magnitude, kFractionBits - exponent)));
  return static_cast<std::uint32_t>(((exponent - kLowestExponent) << kFractionBits) + units);
}

}  // namespace

std::uint16_t half_bits(float value) noexcept {
  return static_cast<std::uint16_t>((std::signbit(value) ? 0x8000U : 0U) | magnitude_bits(std::fabs(value)));
}

float half_value(std::uint16_t bits) noexcept {
  const int exponent = (bits >> kFractionBits) & 31;
  const int fraction = bits & 1023;
  float magnitude = 0.0F;
  if (exponent == 31) {
    magnitude =
        fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else {
    const int units = exponent == 0 ? fraction : 1024 + fraction;
    magnitude = std::ldexp(static_cast<float>(units), std::max(exponent, 1) - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

}  // namespace octavo
