#pragma once
#include <memory>

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/conv2d/tile_block.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// Which operand stays while the other one passes: the blockings of a tile convolution.
enum class TileOrder {
  chosen,           ///< by the sizes of both (docs/performance.md)
  pixels,           ///< each pair of tiles of pixels meets all weights
  pixels_streamed,  ///< likewise, and weights are read past L1
  panels,           ///< each panel of weights meets all pixels; long ones are read past L1
  groups,  ///< some panels of weights at a time meet each pair of tiles of pixels, and are read past L1
};

/// Whether the tile kernels solve `p`: 8-bit numbers, one group.
Support tiles_support(const Conv2dProblem& p) noexcept;
/// Whether there is a choice of order: more than one panel of weights. Never more than `Support::slower`, so
/// that only who measured it takes an order that is not the chosen one.
Support tile_order_support(const Conv2dProblem& p) noexcept;

/// A convolution of 8-bit numbers on tiles, exact for every problem of tiles_support; also linear layers as
/// 1x1 convolutions (then y may be f32). `multiply`: the kernel compiled for AMX, or for its emulation.
std::unique_ptr<Prepared> prepare_tiles(void (*multiply)(const TileWork&), const Conv2dProblem& p,
                                        const Operands& operands, TileOrder order = TileOrder::chosen);

}  // namespace octavo
