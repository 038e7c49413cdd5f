#pragma once
#include <algorithm>
#include <cstddef>
#include <span>

#include "engine/kernels/caches.h"

namespace octavo {

/// What L2 is asked for of the bytes that a later step needs: few are mostly there still when their turn
/// comes again, and of many the beginning is enough (docs/performance.md).
inline std::span<const std::byte> worth_asking_for(std::span<const std::byte> bytes) noexcept {
  constexpr std::size_t kEnough = std::size_t{512} * 1024;
  if (std::ssize(bytes) < kStayInL2Bytes) return {};
  return bytes.first(std::min(bytes.size(), kEnough));
}

}  // namespace octavo
