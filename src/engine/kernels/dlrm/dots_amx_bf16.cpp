#include "engine/kernels/dlrm/bf16_tiles.h"

namespace octavo {

void dlrm_dots_amx_bf16(const DlrmDotsWork& work) {
  dlrm_dots<TileProducts<HardwareTiles, PairDots>, 256>(work);
}

}  // namespace octavo
