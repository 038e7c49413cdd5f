#include "engine/kernels/conv2d/depthwise_ymm.h"
#include "engine/kernels/inline.h"

namespace octavo {
namespace {

/// Input u8, weights s8. Written as the instruction: vnni.h.
struct Quads {
  static OCTAVO_INLINE __m256i add(__m256i sum, __m256i x, __m256i weights) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(weights));
    return sum;
  }
};

}  // namespace

void multiply_avx_vnni(const PanelBlock& block) { multiply_panel<Quads>(block); }

void depthwise_avx_vnni(const DepthwiseBlock& block) { depthwise_by_quads<Quads>(block); }

}  // namespace octavo
