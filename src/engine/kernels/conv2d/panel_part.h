#pragma once
#include "engine/kernels/kernel.h"

namespace octavo {

/// Products of a step for one image from which on it pays to do shares in parts: two CPUs take 15 µs for
/// them, and a second call some tenths of one (docs/performance.md).
inline constexpr std::int64_t kMacsInParts = 8'000'000;

/// A share of a convolution: some panels of output channels, for some units of the output (rows, blocks of
/// pixels).
struct PanelPart {
  Share::Range panels, units;
};

/// A byte of input costs two threads as much as this many bytes of weights: half of the input is in the other
/// one's caches, and nobody asks for it ahead (docs/performance.md).
inline constexpr std::int64_t kInputCost = 2;

/// What each of `panels` panels and `units` units take in all: bytes of packed weights and of input.
struct PanelWork {
  std::int64_t panels, weight_bytes;
  std::int64_t units, input_bytes;

  /// Each thread should read the larger operand only in part: weights by panels, or input by units.
  [[nodiscard]] PanelPart part(Share share) const noexcept {
    if (panels >= share.count && (weight_bytes > input_bytes || units < share.count))
      return {share.of(panels), {0, units}};
    return {{0, panels}, share.of(units)};
  }
};

}  // namespace octavo
