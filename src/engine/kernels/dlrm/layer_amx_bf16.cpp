#include "engine/kernels/dlrm/bf16_tiles.h"

namespace octavo {

void dlrm_layer_amx_bf16(const DlrmLayerWork& work) { dlrm_layer_on_tiles<HardwareTiles, PairLayer>(work); }

}  // namespace octavo
