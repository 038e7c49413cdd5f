#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/conv2d/testing/tile_emulated.h"
#include "engine/kernels/conv2d/tile_kernel.h"

namespace octavo {

void multiply_tiles_emulated(const TileWork& work) { multiply_tiles<EmulatedTiles>(work); }

}  // namespace octavo
