#pragma once
#include <algorithm>
#include <cstddef>
#include <span>

#include "engine/kernels/caches.h"

namespace octavo {

/// What L2 is asked for of a later step's constants: few are mostly there still when their turn comes again,
/// and of many the beginning is enough (docs/performance.md).
inline std::span<const std::byte> worth_asking_for(std::span<const std::byte> constants) noexcept {
  constexpr std::size_t kEnough = std::size_t{512} * 1024;
  if (std::ssize(constants) < kStayInL2Bytes) return {};
  return constants.first(std::min(constants.size(), kEnough));
}

}  // namespace octavo
