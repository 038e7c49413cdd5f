#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/dlrm/int8_layer_tiles.h"
#include "engine/kernels/dlrm/testing/emulated.h"

namespace octavo {

void dlrm_layer_emulated(const DlrmLayerWork& work) { dlrm_byte_layer_on_tiles<EmulatedTiles>(work); }

}  // namespace octavo
