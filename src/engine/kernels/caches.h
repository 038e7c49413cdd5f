#pragma once
#include <cstdint>

// What kernels know of caches.

namespace octavo {

inline constexpr std::int64_t kLineBytes = 64;
inline constexpr std::int64_t kPageLines = 64;

/// Constants of fewer bytes are mostly in L2 still when their turn comes again.
inline constexpr std::int64_t kStayInL2Bytes = std::int64_t{64} * 1024;

}  // namespace octavo
