#include "engine/session/dlrm/packed_layer.h"

#include <algorithm>

namespace octavo {

PackedLayer::PackedLayer(const Int8Layer& layer, std::int64_t steps_in, bool is_signed)
    : steps(steps_in),
      panels((layer.outputs + kDlrmPanel - 1) / kDlrmPanel),
      src_is_signed(is_signed ? 1 : 0),
      highest(layer.highest),
      multiplier(layer.multiplier),
      bias(layer.bias),
      excess(static_cast<std::size_t>(panels * kDlrmPanel)) {
  multiplier.resize(excess.size());
  bias.resize(excess.size());
  for (std::int64_t n = 0; n < layer.outputs; ++n) {
    for (std::int64_t k = 0; k < layer.inputs; ++k)
      excess[static_cast<std::size_t>(n)] +=
          128 * layer.weights[static_cast<std::size_t>(n * layer.inputs + k)];
  }
}

void pack_weights(const Int8Layer& layer, std::span<const std::int64_t> places, std::int64_t steps,
                  std::int8_t* packed) {
  for (std::int64_t n = 0; n < layer.outputs; ++n) {
    std::int8_t* const panel = packed + n / kDlrmPanel * steps * kDlrmStepBytes + n % kDlrmPanel / 16 * 1024;
    for (std::int64_t k = 0; k < layer.inputs; ++k) {
      const std::int64_t place = places[static_cast<std::size_t>(k)];
      panel[place / kDlrmStep * kDlrmStepBytes + place % kDlrmStep / 4 * 64 + n % 16 * 4 + place % 4] =
          layer.weights[static_cast<std::size_t>(n * layer.inputs + k)];
    }
  }
}

}  // namespace octavo
