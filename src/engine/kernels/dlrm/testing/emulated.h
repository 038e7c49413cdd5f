#pragma once
#include "engine/kernels/dlrm/work.h"

namespace octavo {

// The kernels of dlrm/*_amx_*.cpp on emulated tiles.
void dlrm_layer_emulated(const DlrmLayerWork& work);
void dlrm_dots_emulated(const DlrmDotsWork& work);
void dlrm_bf16_layer_emulated(const DlrmLayerWork& work);
void dlrm_bf16_dots_emulated(const DlrmDotsWork& work);

}  // namespace octavo
