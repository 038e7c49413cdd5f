#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/dlrm/work.h"
#include "engine/kernels/inline.h"

// What the AVX-512 BF16 kernels share: from sums to the packed bf16 of the next layer. All of it has internal
// linkage.

namespace octavo {
namespace {

/// 32 values as bf16, `left` in front.
OCTAVO_INLINE __m512i bf16_of(__m512 left, __m512 right) { return (__m512i)_mm512_cvtne2ps_pbh(right, left); }

/// The biases of one panel.
struct Bf16Rule {
  __m512 bias[2];
};

OCTAVO_INLINE Bf16Rule bf16_rule(const DlrmLayerWork& w, std::int64_t panel) {
  const float* const bias = w.bias + panel * kDlrmPanel;
  return {{_mm512_loadu_ps(bias), _mm512_loadu_ps(bias + 16)}};
}

/// One sample's 32 outputs. max gives its second operand where one is NaN: NaN stays NaN.
OCTAVO_INLINE void finish_bf16(__m512 left, __m512 right, const Bf16Rule& rule, std::uint8_t* dst) {
  const __m512 zero = _mm512_setzero_ps();
  _mm512_store_si512(dst, bf16_of(_mm512_max_ps(zero, _mm512_add_ps(left, rule.bias[0])),
                                  _mm512_max_ps(zero, _mm512_add_ps(right, rule.bias[1]))));
}

/// Where the outputs of `panel` of the samples from `group` * 32 on lie in dst: a panel is a step.
OCTAVO_INLINE std::uint8_t* bf16_panel_dst(const DlrmLayerWork& w, std::int64_t group, std::int64_t panel) {
  return w.dst + (group * w.dst_steps + panel) * kDlrmStepBytes;
}

}  // namespace
}  // namespace octavo
