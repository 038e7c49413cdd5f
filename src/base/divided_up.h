#pragma once
#include <cstdint>

namespace octavo {

/// a / b rounded up: how many parts of b hold a. For a >= 0, b > 0.
constexpr std::int64_t divided_up(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

}  // namespace octavo
