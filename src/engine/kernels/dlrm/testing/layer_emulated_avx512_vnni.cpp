#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/dlrm/layer_tiles.h"
#include "engine/kernels/dlrm/testing/emulated.h"

namespace octavo {

void dlrm_layer_emulated(const DlrmLayerWork& work) { dlrm_layer_on_tiles<EmulatedTiles>(work); }

}  // namespace octavo
