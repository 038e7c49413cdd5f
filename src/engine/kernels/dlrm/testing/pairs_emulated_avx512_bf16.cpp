#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/dlrm/bf16_tiles.h"
#include "engine/kernels/dlrm/testing/emulated.h"

namespace octavo {

void dlrm_bf16_layer_emulated(const DlrmLayerWork& work) {
  dlrm_layer_on_tiles<EmulatedTiles, PairLayer>(work);
}

void dlrm_bf16_dots_emulated(const DlrmDotsWork& work) {
  dlrm_dots<TileProducts<EmulatedTiles, PairDots>, 256>(work);
}

}  // namespace octavo
