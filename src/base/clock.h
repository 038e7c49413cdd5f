#pragma once
#include <chrono>
#include <cstdint>

namespace octavo {

/// Nanoseconds of the steady clock.
inline std::int64_t now_ns() noexcept {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

inline std::int64_t ns_of(double seconds) noexcept { return static_cast<std::int64_t>(seconds * 1e9); }

}  // namespace octavo
