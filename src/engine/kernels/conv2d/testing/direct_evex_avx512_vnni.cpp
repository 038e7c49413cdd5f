#include "engine/kernels/conv2d/depthwise_ymm.h"
#include "engine/kernels/conv2d/testing/direct_evex.h"
#include "engine/kernels/inline.h"

namespace octavo {
namespace {

struct Quads {
  static OCTAVO_INLINE __m256i add(__m256i sum, __m256i x, __m256i weights) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
    return sum;
  }
};

}  // namespace

void multiply_evex(const PanelBlock& block) { multiply_panel<Quads>(block); }

void depthwise_evex(const DepthwiseBlock& block) { depthwise_by_quads<Quads>(block); }

}  // namespace octavo
