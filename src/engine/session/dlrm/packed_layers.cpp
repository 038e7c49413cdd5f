#include "engine/session/dlrm/packed_layers.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/divided_up.h"

namespace octavo {
namespace {

PackedLayer without_weights(const PlainLayer& layer, std::int64_t steps, bool src_is_signed) {
  PackedLayer result{.steps = steps,
                     .panels = (layer.outputs + kDlrmPanel - 1) / kDlrmPanel,
                     .quads = 0,
                     .bias = layer.bias,
                     .multiplier = layer.multiplier,
                     .excess = layer.excess,
                     .src_is_signed = src_is_signed ? 1 : 0,
                     .highest = layer.highest,
                     .weights = nullptr};
  const auto outputs = static_cast<std::size_t>(result.panels * kDlrmPanel);
  result.bias.resize(outputs);
  result.multiplier.resize(outputs);
  result.excess.resize(outputs);
  return result;
}

std::int64_t weights_bytes(const PackedLayer& layer) { return layer.panels * layer.steps * kDlrmStepBytes; }

/// 0, 1, ... count - 1: the places of inputs that lie as they are numbered.
std::vector<std::int64_t> counted_places(std::int64_t count) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(count));
  std::iota(places.begin(), places.end(), 0);
  return places;
}

/// Where byte `byte` of the packed inputs meets output n in panels of `steps` steps.
std::int64_t place_in_panels(std::int64_t n, std::int64_t byte, std::int64_t steps) {
  return (n / kDlrmPanel * steps + byte / kDlrmStep) * kDlrmStepBytes + n % kDlrmPanel / 16 * 1024 +
         byte % kDlrmStep / 4 * 64 + n % 16 * 4 + byte % 4;
}

/// `places[k]` is where input k lies among the packed inputs.
void pack_weights(const PlainLayer& layer, std::span<const std::int64_t> places, std::int64_t input_bytes,
                  std::int64_t steps, bool in_row, std::byte* packed) {
  const std::byte* from = layer.weights.data();
  for (std::int64_t n = 0; n < layer.outputs; ++n) {
    for (std::int64_t place : places) {
      const std::int64_t byte = place * input_bytes;
      std::memcpy(packed + (in_row ? byte : place_in_panels(n, byte, steps)), from,
                  static_cast<std::size_t>(input_bytes));
      from += input_bytes;
    }
  }
}

}  // namespace

PackedLayers::PackedLayers(std::span<const PlainLayer> plain_bottom, std::span<const PlainLayer> plain_top,
                           const TopPlan& plan) {
  std::int64_t bytes = 0;
  const auto add = [&](std::vector<PackedLayer>& to, const PlainLayer& layer) {
    const bool reads_top = &layer == plain_top.data();
    to.push_back(without_weights(layer, reads_top ? plan.steps : plan.steps_of(layer.inputs), reads_top));
    bytes += weights_bytes(to.back());
  };
  for (const PlainLayer& layer : plain_bottom) add(bottom, layer);
  for (const PlainLayer& layer : plain_top) add(top, layer);
  weights = MemoryRegion::zeros(bytes);
  std::byte* packed = weights.data();
  const auto pack = [&](PackedLayer& to, const PlainLayer& layer) {
    const auto places = &layer == plain_top.data() ? plan.places : counted_places(layer.inputs);
    to.quads = divided_up(*std::max_element(places.begin(), places.end()) + 1, 16) * 4;
    pack_weights(layer, places, kDlrmStep / plan.step_inputs, to.steps, &to == &top.back(), packed);
    to.weights = reinterpret_cast<const std::int8_t*>(packed);
    packed += weights_bytes(to);
  };
  for (std::size_t i = 0; i < bottom.size(); ++i) pack(bottom[i], plain_bottom[i]);
  for (std::size_t i = 0; i < top.size(); ++i) pack(top[i], plain_top[i]);
}

}  // namespace octavo
