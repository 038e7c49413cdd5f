#include "engine/kernels/dlrm/dots_tiles.h"

namespace octavo {

void dlrm_dots_amx_int8(const DlrmDotsWork& work) {
  dlrm_dots<TileProducts<HardwareTiles, ByteDots>, 128>(work);
}

}  // namespace octavo
