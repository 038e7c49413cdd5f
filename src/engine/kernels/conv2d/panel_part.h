#pragma once
#include "engine/kernels/kernel.h"

namespace octavo {

/// A share of a convolution: some panels of output channels, for some units of the output (rows, blocks of
/// pixels).
struct PanelPart {
  Share::Range panels, units;
};

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
