#pragma once
#include "engine/kernels/kernel.h"

namespace octavo {

/// A share of a convolution: some panels of output channels, for some units of the output (rows, blocks of
/// pixels).
struct PanelPart {
  Share::Range panels, units;
};

/// A byte of input costs two threads as much as this many bytes of weights: half of the input is in the other
/// one's caches, and nobody asks for it ahead (docs/performance.md). Tile kernels have a number of their own.
inline constexpr std::int64_t kInputCost = 2;

/// What each of `panels` panels and `units` units take in all: bytes of packed weights, and of input as many
/// as cost the same.
struct PanelWork {
  std::int64_t panels, weight_bytes;
  std::int64_t units, input_cost;

  /// Each thread should read the larger operand only in part: weights by panels, or input by units.
  [[nodiscard]] PanelPart part(Share share) const noexcept {
    if (are_panels_divided(share.count)) return {share.of(panels), {0, units}};
    return {{0, panels}, share.of(units)};
  }
  /// The panels or units that the smallest of `shares` shares has of those that are divided.
  [[nodiscard]] std::int64_t least(int shares) const noexcept {
    return (are_panels_divided(shares) ? panels : units) / shares;
  }

 private:
  [[nodiscard]] bool are_panels_divided(int shares) const noexcept {
    return panels >= shares && (weight_bytes > input_cost || units < shares);
  }
};

/// Products of a share from which on it pays to do it in parts: a CPU takes 15 µs for them, and a second call
/// some tenths of one (docs/performance.md).
inline constexpr std::int64_t kLeastMacsInParts = 4'000'000;
/// And panels or units: an eighth of fewer is none, or too much.
inline constexpr std::int64_t kLeastPiecesInParts = 8;

}  // namespace octavo
