#include "engine/kernels/conv2d/tile_kernel.h"

namespace octavo {

void multiply_tiles_amx_int8(const TileWork& work) { multiply_tiles<HardwareTiles>(work); }

}  // namespace octavo
