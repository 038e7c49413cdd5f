#pragma once
#include <cstdint>
#include <span>

namespace octavo {

/// The bf16 (the upper half of an f32) nearest to `value`, ties to even, as its 16 bits; infinite where that
/// is beyond the largest finite one. NaN stays NaN.
std::uint16_t bf16_bits(float value) noexcept;
/// The value of a bf16's 16 bits, exactly.
float bf16_value(std::uint16_t bits) noexcept;
/// The 16 bits of the bf16 nearest to each of `count` values.
void to_bf16(const float* values, std::int64_t count, std::uint16_t* bits) noexcept;
/// Replaces each value by the bf16 nearest to it.
void round_to_bf16(std::span<float> values) noexcept;

}  // namespace octavo
