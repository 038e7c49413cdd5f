#include "engine/kernels/dlrm/bf16_tiles.h"

namespace octavo {

void dlrm_bf16_layer_amx_bf16(const DlrmBf16LayerWork& work) {
  dlrm_layer_on_tiles<HardwareTiles, PairLayer>(work);
}

void dlrm_bf16_dots_amx_bf16(const DlrmDotsWork& work) {
  dlrm_dots<TileProducts<HardwareTiles, PairDots>, 256>(work);
}

}  // namespace octavo
