#pragma once
#include <cstdint>

namespace octavo {

/// The IEEE half float nearest to `value`, ties to even, as its 16 bits; infinite from 65520 on.
std::uint16_t half_bits(float value) noexcept;
/// The value of a half float's 16 bits, exactly.
float half_value(std::uint16_t bits) noexcept;

}  // namespace octavo
