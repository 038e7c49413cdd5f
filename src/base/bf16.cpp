#include "base/bf16.h"

#include <bit>
#include <cmath>

namespace octavo {

std::uint16_t bf16_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16U | 0x40U);  // quiet: never an infinity
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

float bf16_value(std::uint16_t bits) noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }

void round_to_bf16(std::span<float> values) noexcept {
  for (float& value : values) value = bf16_value(bf16_bits(value));
}

}  // namespace octavo
