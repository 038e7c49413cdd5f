#pragma once
#include "engine/kernels/conv2d/tile_block.h"

namespace octavo {

/// multiply_tiles_amx_int8 on emulated tiles.
void multiply_tiles_emulated(const TileWork& work);

}  // namespace octavo
