#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/dlrm/work.h"
#include "engine/kernels/inline.h"

// What the AVX-512 kernels share: from sums to the packed bytes of the next layer. All of it has internal
// linkage.

namespace octavo {
namespace {

/// The numbers of one panel.
struct PanelRule {
  __m512 multiplier[2], bias[2];
  __m512i highest;
};

OCTAVO_INLINE PanelRule panel_rule(const DlrmLayerWork& w, std::int64_t panel) {
  PanelRule rule;
  for (std::int64_t i = 0; i < 2; ++i) {
    rule.multiplier[i] = _mm512_loadu_ps(w.multiplier + panel * kDlrmPanel + 16 * i);
    rule.bias[i] = _mm512_loadu_ps(w.bias + panel * kDlrmPanel + 16 * i);
  }
  rule.highest = _mm512_set1_epi8(static_cast<char>(w.highest));
  return rule;
}

OCTAVO_INLINE __m512i rounded(__m512i sum, const PanelRule& rule, int half) {
  return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), rule.multiplier[half], rule.bias[half]));
}

/// Packing goes lane by lane: 4 outputs of each half of each of two samples stand together. This puts the
/// samples one behind the other.
OCTAVO_INLINE __m512i pair_order() {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/// Two neighbouring samples of a panel: 16 sums of each at `left`, the other 16 at `right`.
OCTAVO_INLINE void finish_two(const std::int32_t* left, const std::int32_t* right, const PanelRule& rule,
                              std::uint8_t* dst) {
  const __m512i first = _mm512_packs_epi32(rounded(_mm512_load_si512(left), rule, 0),
                                           rounded(_mm512_load_si512(right), rule, 1));
  const __m512i second = _mm512_packs_epi32(rounded(_mm512_load_si512(left + 16), rule, 0),
                                            rounded(_mm512_load_si512(right + 16), rule, 1));
  const __m512i bytes = _mm512_permutexvar_epi32(
      pair_order(), _mm512_min_epu8(_mm512_packus_epi16(first, second), rule.highest));
  _mm256_store_si256(reinterpret_cast<__m256i*>(dst), _mm512_castsi512_si256(bytes));
  _mm256_store_si256(reinterpret_cast<__m256i*>(dst + kDlrmStep), _mm512_extracti64x4_epi64(bytes, 1));
}

/// Where the outputs of `panel` of the samples from `group` * 32 on lie in dst.
OCTAVO_INLINE std::uint8_t* panel_dst(const DlrmLayerWork& w, std::int64_t group, std::int64_t panel) {
  return w.dst + (group * w.dst_steps + panel / 2) * kDlrmStepBytes + (panel & 1) * kDlrmPanel;
}

}  // namespace
}  // namespace octavo
