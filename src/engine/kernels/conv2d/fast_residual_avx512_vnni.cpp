#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/conv2d/finish_rows.h"

namespace octavo {
namespace {

inline __m512 broadcast(float v) { return _mm512_set1_ps(v); }

/// The same as finish_rows.h's `residual` form has it; `q` less its zero point, `r` as FastRule has it.
inline __m512i result_in_one(const FastRule& rule, __m512 q, __m512 r) {
  const __m512 v = _mm512_fmadd_ps(q, broadcast(rule.q_factor),
                                   _mm512_fmadd_ps(r, broadcast(rule.r_factor), broadcast(rule.offset)));
  __m512i y = _mm512_min_epi32(_mm512_set1_epi32(INT16_MAX), _mm512_cvtps_epi32(v));
  y = _mm512_add_epi32(y, _mm512_set1_epi32(rule.zero_point));
  y = _mm512_max_epi32(y, _mm512_set1_epi32(rule.lowest_y));
  y = _mm512_min_epi32(y, _mm512_set1_epi32(rule.highest_y));
  return _mm512_sub_epi32(y, _mm512_set1_epi32(rule.zero_point));
}

bool holds_for(const FastRule& rule, int q) {
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i lowest_r = _mm512_set1_epi32(rule.exact.r_is_signed != 0 ? -128 : 0);
  const __m512 q_stored = broadcast(static_cast<float>(q + rule.exact.zero_point));
  for (int r = 0; r < 256; r += 16) {
    const __m512i rs = _mm512_add_epi32(lanes, _mm512_set1_epi32(r));
    const __m512i shifted = _mm512_or_si512(_mm512_set1_epi32(rule.r_zero), _mm512_slli_epi32(rs, 8));
    const __m512i exact = exact_sum(q_stored, _mm512_cvtepi32_ps(_mm512_add_epi32(lowest_r, rs)), rule.exact);
    const __m512i in_one =
        result_in_one(rule, broadcast(static_cast<float>(q)), _mm512_castsi512_ps(shifted));
    if (_mm512_cmpneq_epi32_mask(exact, in_one) != 0) return false;
  }
  return true;
}

}  // namespace

bool residual_rule_holds_avx512_vnni(const FastRule& rule, int* first_q) {
  const auto lowest = static_cast<int>(rule.exact.lowest), highest = static_cast<int>(rule.exact.highest);
  if (*first_q >= lowest && *first_q <= highest && !holds_for(rule, *first_q)) return false;
  for (int q = lowest; q <= highest; ++q) {
    if (holds_for(rule, q)) continue;
    *first_q = q;
    return false;
  }
  return true;
}

}  // namespace octavo
