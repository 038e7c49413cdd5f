#include "engine/kernels/dlrm/int8_layer_tiles.h"

namespace octavo {

void dlrm_layer_amx_int8(const DlrmLayerWork& work) { dlrm_byte_layer_on_tiles<HardwareTiles>(work); }

}  // namespace octavo
