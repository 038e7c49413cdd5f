#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/dlrm/dots_tiles.h"
#include "engine/kernels/dlrm/testing/emulated.h"

namespace octavo {

void dlrm_dots_emulated(const DlrmDotsWork& work) {
  dlrm_dots<TileProducts<EmulatedTiles, ByteDots>, 128>(work);
}

}  // namespace octavo
