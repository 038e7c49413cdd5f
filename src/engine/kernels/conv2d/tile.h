#pragma once
#include <memory>

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/conv2d/tile_block.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// Whether the tile kernels solve `p`: 8-bit numbers, one group.
Support tiles_support(const Conv2dProblem& p) noexcept;

/// A convolution of 8-bit numbers on tiles, exact for every problem of tiles_support; also linear layers as
/// 1x1 convolutions (then y may be f32). `multiply`: the kernel compiled for AMX, or for its emulation.
std::unique_ptr<Prepared> prepare_tiles(void (*multiply)(const TileWork&), const Conv2dProblem& p,
                                        const Operands& operands);

}  // namespace octavo
