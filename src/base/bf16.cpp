#include "base/bf16.h"

#include <bit>

namespace octavo {
namespace {

/// The upper half of the f32 of these bits, rounded; without branches, so that a loop of it becomes vectors.
/// NaN becomes quiet: cut off, it could be an infinity.
std::uint32_t rounded(std::uint32_t bits) noexcept {
  const bool is_nan = static_cast<std::int32_t>(bits & 0x7FFFFFFFU) > 0x7F800000;
  return (is_nan ? bits | 0x400000U : bits + 0x7FFFU + (bits >> 16U & 1U)) & 0xFFFF0000U;
}

}  // namespace

std::uint16_t bf16_bits(float value) noexcept {
  return static_cast<std::uint16_t>(rounded(std::bit_cast<std::uint32_t>(value)) >> 16U);
}

float bf16_value(std::uint16_t bits) noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }

void to_bf16(const float* values, std::int64_t count, std::uint16_t* bits) noexcept {
  for (std::int64_t i = 0; i < count; ++i)
    bits[i] = static_cast<std::uint16_t>(rounded(std::bit_cast<std::uint32_t>(values[i])) >> 16U);
}

void round_to_bf16(std::span<float> values) noexcept {
  for (float& value : values) value = std::bit_cast<float>(rounded(std::bit_cast<std::uint32_t>(value)));
}

}  // namespace octavo
