#pragma once
#include "engine/kernels/conv2d/direct_block.h"

namespace octavo {

/// multiply_avx_vnni and depthwise_avx_vnni with the instruction of AVX-512 VNNI, for CPUs that lack
/// AVX-VNNI.
void multiply_evex(const PanelBlock& block);
void depthwise_evex(const DepthwiseBlock& block);

}  // namespace octavo
