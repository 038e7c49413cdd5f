#include "engine/kernels/dlrm/layer_tiles.h"

namespace octavo {

void dlrm_layer_amx_int8(const DlrmLayerWork& work) { dlrm_layer_on_tiles<HardwareTiles>(work); }

}  // namespace octavo
