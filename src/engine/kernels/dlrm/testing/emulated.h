#pragma once
#include "engine/kernels/dlrm/work.h"

namespace octavo {

/// dlrm_layer_amx_int8 and dlrm_dots_amx_int8 on emulated tiles.
void dlrm_layer_emulated(const DlrmLayerWork& work);
void dlrm_dots_emulated(const DlrmDotsWork& work);

}  // namespace octavo
