#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/memory_region.h"
#include "engine/session/dlrm/top_plan.h"

namespace octavo {

/// A fully connected layer of either arithmetic before it is packed. What is marked int8 is left out in bf16.
struct PlainLayer {
  std::int64_t inputs, outputs;
  std::span<const std::byte> weights;  ///< [outputs][inputs]
  std::vector<float> bias;
  std::vector<float> multiplier = {};     ///< int8, as DlrmLayerWork has it, like what follows
  std::vector<std::int32_t> excess = {};  ///< int8
  std::int32_t highest = 0;               ///< int8
};

/// A layer as the kernels read it, in whole panels.
struct PackedLayer {
  std::int64_t steps, panels;
  std::int64_t quads;  ///< DlrmLayerWork's
  std::vector<float> bias, multiplier;
  std::vector<std::int32_t> excess;
  std::int32_t src_is_signed, highest;
  const std::int8_t* weights;  ///< of PackedLayers
};

/// Both MLPs, their weights one behind the other in memory. The last layer's one output has them in a row, as
/// DlrmLastWork does.
struct PackedLayers {
  std::vector<PackedLayer> bottom, top;
  MemoryRegion weights;

  PackedLayers(std::span<const PlainLayer> plain_bottom, std::span<const PlainLayer> plain_top,
               const TopPlan& plan);
};

}  // namespace octavo
