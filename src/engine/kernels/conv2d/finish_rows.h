#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/conv2d/output_rule.h"
#include "engine/kernels/inline.h"

// Requantizing rows of 32 sums, for files compiled for AVX-512 VNNI or AMX. All of it has internal linkage.

namespace octavo {
namespace {

constexpr std::int64_t kPanelChannels = 32;

/// Calls call.operator()<form>().
template <class Call>
OCTAVO_INLINE void with_form(OutputForm form, const Call& call) {
  switch (form) {
    case OutputForm::stored:
      return call.template operator()<OutputForm::stored>();
    case OutputForm::residual:
      return call.template operator()<OutputForm::residual>();
    case OutputForm::stored_shifted:
      return call.template operator()<OutputForm::stored_shifted>();
    case OutputForm::stored_plain:
      return call.template operator()<OutputForm::stored_plain>();
    case OutputForm::residual_plain:
      return call.template operator()<OutputForm::residual_plain>();
    case OutputForm::stored_bare:
      return call.template operator()<OutputForm::stored_bare>();
    case OutputForm::residual_bare:
      return call.template operator()<OutputForm::residual_bare>();
    case OutputForm::exact:
      return call.template operator()<OutputForm::exact>();
    case OutputForm::exact_residual:
      return call.template operator()<OutputForm::exact_residual>();
    case OutputForm::real:
      return call.template operator()<OutputForm::real>();
  }
}

/// The rule's numbers for one panel.
struct PanelNumbers {
  __m512 addend[2], multiplier[2];
  __m512 lowest, highest, rounder, q_factor, r_factor, offset;
  __m512i start[2];
  __m512i beyond, r_zero, r_flip, zero_bits, zero_point, lowest_y, highest_y, flip;
  __mmask32 there;
  bool is_whole;     ///< all 32 channels are there
  bool adds_starts;  ///< FastRule's
  std::int64_t channel;
};

template <OutputForm form>
constexpr bool kIsBare = form == OutputForm::stored_bare || form == OutputForm::residual_bare;
template <OutputForm form>
constexpr bool kIsShifted = form == OutputForm::stored_shifted;
template <OutputForm form>
constexpr bool kIsPlain = kIsBare<form> || kIsShifted<form> || form == OutputForm::stored_plain ||
                          form == OutputForm::residual_plain;
template <OutputForm form>
constexpr bool kAddsResidual =
    form == OutputForm::residual || form == OutputForm::residual_plain || form == OutputForm::residual_bare;
template <OutputForm form>
constexpr bool kFlipsResidual = form == OutputForm::residual;
template <OutputForm form>
constexpr bool kIsFast = kAddsResidual<form> || kIsPlain<form> || form == OutputForm::stored;

/// `channel`: the panel's first, of `channels`.
OCTAVO_INLINE PanelNumbers numbers_of(const FastRule& rule, std::int64_t channel, std::int64_t channels) {
  PanelNumbers n;
  n.channel = channel;
  n.adds_starts = rule.adds_starts != 0;
  for (std::int64_t i = 0; i < 2; ++i) {
    n.start[i] = _mm512_loadu_si512(rule.start + n.channel + 16 * i);
    n.addend[i] = _mm512_loadu_ps(rule.addend + n.channel + 16 * i);
    const __m512 multiplier = _mm512_loadu_ps(rule.exact.multiplier + n.channel + 16 * i);
    n.multiplier[i] = _mm512_mul_ps(multiplier, _mm512_set1_ps(rule.sign));
  }
  n.lowest = _mm512_set1_ps(rule.lowest);
  n.highest = _mm512_set1_ps(rule.highest);
  n.rounder = _mm512_set1_ps(rule.rounder);
  n.beyond = _mm512_set1_epi32(rule.beyond);
  n.q_factor = _mm512_set1_ps(rule.q_factor);
  n.r_factor = _mm512_set1_ps(rule.r_factor);
  n.offset = _mm512_set1_ps(rule.offset);
  n.r_zero = _mm512_set1_epi32(rule.r_zero);
  n.r_flip = _mm512_set1_epi8(static_cast<char>(rule.r_flip));
  // What the bits of kRounder + v count from.
  n.zero_bits =
      _mm512_sub_epi32(_mm512_castps_si512(_mm512_set1_ps(kRounder)), _mm512_set1_epi32(rule.zero_point));
  n.zero_point = _mm512_set1_epi16(rule.zero_point);
  n.lowest_y = _mm512_set1_epi8(static_cast<char>(rule.lowest_y));
  n.highest_y = _mm512_set1_epi8(static_cast<char>(rule.highest_y));
  n.flip = _mm512_set1_epi8(static_cast<char>(rule.flip));
  const std::int64_t left = channels - channel;
  n.is_whole = left >= kPanelChannels;
  n.there = n.is_whole ? 0xFFFFFFFFU : (1U << left) - 1U;
  return n;
}

/// Packing goes lane by lane: 4 channels of each half of each of two rows stand together. This puts the rows
/// one behind the other.
OCTAVO_INLINE __m512i row_order() {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}

/// 16 stored residuals as FastRule's r. A byte enters the mantissa of 2^15 by a shuffle: half the
/// instructions of a conversion. `flips`: by r_flip.
template <std::int64_t half, bool flips>
OCTAVO_INLINE __m512 residual_of(const std::uint8_t* residual, const PanelNumbers& n, bool is_whole) {
  const auto* from = reinterpret_cast<const __m128i*>(residual + n.channel + 16 * half);
  const auto there = static_cast<__mmask16>(n.there >> (16 * half));
  const __m128i r = is_whole ? _mm_loadu_si128(from) : _mm_maskz_loadu_epi8(there, from);
  const __m512i second_bytes =
      _mm512_setr_epi32(0x0000, 0x0100, 0x0200, 0x0300, 0x0400, 0x0500, 0x0600, 0x0700, 0x0800, 0x0900,
                        0x0A00, 0x0B00, 0x0C00, 0x0D00, 0x0E00, 0x0F00);
  constexpr __mmask64 kSecond = 0x2222222222222222;
  const __m512i bits = _mm512_mask_shuffle_epi8(n.r_zero, kSecond, _mm512_broadcast_i32x4(r), second_bytes);
  return _mm512_castsi512_ps(flips ? _mm512_mask_add_epi8(bits, kSecond, bits, n.r_flip) : bits);
}

/// 32 results of a row, or those that there are.
OCTAVO_INLINE void store_row(std::uint8_t* dst, __m256i results, const PanelNumbers& n, bool is_whole) {
  if (is_whole) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst + n.channel), results);
  } else {
    _mm256_mask_storeu_epi8(dst + n.channel, n.there, results);
  }
}

/// Puts results before the residual into their range, if some lie beyond it: few do, and clamping takes the
/// port that is short beside tile instructions (docs/performance.md). Relies on -ffp-contract=off: v is
/// rounded before the rounder is added.
template <int count>
OCTAVO_INLINE void clamp_if_needed(__m512* v, const PanelNumbers& n) {
  const auto rounded = [&](int i) { return _mm512_castps_si512(_mm512_add_ps(v[i], n.rounder)); };
  constexpr int kOr = 0xFE;  // of three operands
  __m512i bits = _mm512_or_si512(rounded(0), rounded(1));
#pragma GCC unroll 8
  for (int i = 2; i < count; i += 2) bits = _mm512_ternarylogic_epi32(bits, rounded(i), rounded(i + 1), kOr);
  if (_mm512_test_epi32_mask(bits, n.beyond) == 0) [[likely]]
    return;
#pragma GCC unroll 8
  for (int i = 0; i < count; ++i) v[i] = _mm512_min_ps(n.highest, _mm512_max_ps(v[i], n.lowest));
}

/// Requantizes 1, 2 or 4 rows of 32 sums, two vectors each, stage by stage: neighbouring instructions do not
/// wait for each other. Compiled for whole panels and for others: 3 % faster than a question for each row.
template <OutputForm form, int rows, bool is_whole>
OCTAVO_INLINE void finish_vectors(const __m512i* sums, std::uint8_t* const* dst,
                                  const std::uint8_t* const* residual, const PanelNumbers& n) {
  constexpr int kVectors = 2 * rows;
  __m512 v[kVectors], r[kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) v[i] = _mm512_cvtepi32_ps(sums[i]);
  if constexpr (kAddsResidual<form>) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; i += 2) {
      r[i] = residual_of<0, kFlipsResidual<form>>(residual[i / 2], n, is_whole);
      r[i + 1] = residual_of<1, kFlipsResidual<form>>(residual[i / 2], n, is_whole);
    }
  }
  if constexpr (!kIsBare<form>) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_add_ps(v[i], n.addend[i & 1]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) v[i] = _mm512_mul_ps(v[i], n.multiplier[i & 1]);
  if constexpr (kAddsResidual<form>) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) r[i] = _mm512_fmadd_ps(r[i], n.r_factor, n.offset);
    clamp_if_needed<kVectors>(v, n);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_add_ps(v[i], n.rounder);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_sub_ps(v[i], n.rounder);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_fmadd_ps(v[i], n.q_factor, r[i]);
  }
  __m512i y[kVectors];
  if constexpr (kIsShifted<form>) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
      const __m512i bits = _mm512_castps_si512(_mm512_add_ps(v[i], _mm512_set1_ps(kRounder)));
      y[i] = _mm512_sub_epi32(bits, n.zero_bits);
    }
  } else {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) y[i] = _mm512_cvtps_epi32(v[i]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; i += 2) {
    y[i] = _mm512_packs_epi32(y[i], y[i + 1]);
    if constexpr (!kIsPlain<form>) y[i] = _mm512_adds_epi16(y[i], n.zero_point);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; i += 4) {
    constexpr bool has_second = rows > 1;
    __m512i bytes = _mm512_packus_epi16(y[i], y[has_second ? i + 2 : i]);
    if constexpr (!kIsPlain<form>) {
      bytes = _mm512_min_epu8(n.highest_y, _mm512_max_epu8(bytes, n.lowest_y));
      bytes = _mm512_xor_si512(bytes, n.flip);
    }
    bytes = _mm512_permutexvar_epi32(row_order(), bytes);
    store_row(dst[i / 2], _mm512_castsi512_si256(bytes), n, is_whole);
    if constexpr (has_second) store_row(dst[i / 2 + 1], _mm512_extracti64x4_epi64(bytes, 1), n, is_whole);
  }
}

/// The same of sums in memory, which may lack their starts.
template <OutputForm form, int rows, bool is_whole>
OCTAVO_INLINE void finish_fast(const std::int32_t* sums, std::uint8_t* const* dst,
                               const std::uint8_t* const* residual, const PanelNumbers& n) {
  __m512i v[2 * rows];
#pragma GCC unroll 8
  for (std::int64_t i = 0; i < std::int64_t{2} * rows; ++i) v[i] = _mm512_load_si512(sums + 16 * i);
  if (n.adds_starts) {
#pragma GCC unroll 8
    for (int i = 0; i < 2 * rows; ++i) v[i] = _mm512_add_epi32(n.start[i & 1], v[i]);
  }
  finish_vectors<form, rows, is_whole>(v, dst, residual, n);
}

OCTAVO_INLINE __m512 between(__m512 v, float lowest, float highest) {
  return _mm512_min_ps(_mm512_set1_ps(highest), _mm512_max_ps(v, _mm512_set1_ps(lowest)));
}

OCTAVO_INLINE __m512i exact_stored(__m512i sum, const OutputRule& rule, std::int64_t channel) {
  __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(rule.bias + channel), _mm512_set1_ps(rule.bias_factor),
                             _mm512_cvtepi32_ps(sum));
  v = between(_mm512_mul_ps(v, _mm512_loadu_ps(rule.multiplier + channel)), rule.lowest, rule.highest);
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.zero_point));
}

/// Stored results and residuals added by the rule, before sum_zero_point.
OCTAVO_INLINE __m512i exact_sum(__m512 q, __m512 r, const OutputRule& rule) {
  const __m512 q_scale = _mm512_set1_ps(rule.q_scale), q_offset = _mm512_set1_ps(rule.q_offset);
  const __m512 r_scale = _mm512_set1_ps(rule.r_scale), r_offset = _mm512_set1_ps(rule.r_offset);
  __m512 v;
  if (rule.addition == Addition::in_reals) {
    v = _mm512_add_ps(_mm512_fmadd_ps(q, q_scale, q_offset), _mm512_fmadd_ps(r, r_scale, r_offset));
    v = _mm512_mul_ps(v, _mm512_set1_ps(rule.inverse_scale));
  } else if (rule.addition == Addition::result_first) {
    v = _mm512_fmadd_ps(q, q_scale, _mm512_fmadd_ps(r, r_scale, r_offset));
  } else {
    v = _mm512_fmadd_ps(r, r_scale, _mm512_fmadd_ps(q, q_scale, q_offset));
  }
  return _mm512_cvtps_epi32(between(v, rule.sum_lowest, rule.sum_highest));
}

OCTAVO_INLINE __m512i exact_residual(__m512i sum, __m128i r8, const OutputRule& rule, std::int64_t channel) {
  const __m512i r = rule.r_is_signed != 0 ? _mm512_cvtepi8_epi32(r8) : _mm512_cvtepu8_epi32(r8);
  const __m512i q = exact_stored(sum, rule, channel);
  return _mm512_add_epi32(exact_sum(_mm512_cvtepi32_ps(q), _mm512_cvtepi32_ps(r), rule),
                          _mm512_set1_epi32(rule.sum_zero_point));
}

/// 16 sums of one row, any OutputRule.
template <OutputForm form>
OCTAVO_INLINE void finish_exact(__m512i sum, std::uint8_t* dst, const std::uint8_t* residual,
                                const PanelNumbers& n, const OutputRule& rule, std::int64_t half) {
  if (n.adds_starts) sum = _mm512_add_epi32(sum, n.start[half]);
  const std::int64_t channel = n.channel + 16 * half;
  const auto there = static_cast<__mmask16>(n.there >> (16 * half));
  if constexpr (form == OutputForm::exact) {
    _mm_mask_storeu_epi8(dst + channel, there, _mm512_cvtepi32_epi8(exact_stored(sum, rule, channel)));
  } else if constexpr (form == OutputForm::exact_residual) {
    const __m128i r = _mm_maskz_loadu_epi8(there, residual + channel);
    _mm_mask_storeu_epi8(dst + channel, there, _mm512_cvtepi32_epi8(exact_residual(sum, r, rule, channel)));
  } else {
    __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(rule.multiplier + channel));
    v = between(_mm512_add_ps(v, _mm512_loadu_ps(rule.bias + channel)), rule.lowest, rule.highest);
    _mm512_mask_storeu_ps(dst + 4 * channel, there, v);
  }
}

/// Requantizes 1, 2 or 4 rows of 32 sums by the panel's rule, among tile instructions. `residual`: nullptr
/// where the form has none.
template <OutputForm form, int rows>
OCTAVO_INLINE void finish_rows(const std::int32_t* sums, std::uint8_t* const* dst,
                               const std::uint8_t* const* residual, const PanelNumbers& n,
                               const OutputRule& rule) {
  if constexpr (kIsFast<form>) {
    if (n.is_whole) {
      finish_fast<form, rows, true>(sums, dst, residual, n);
    } else {
      finish_fast<form, rows, false>(sums, dst, residual, n);
    }
  } else {
    for (std::int64_t i = 0; i < std::int64_t{2} * rows; ++i) {
      const std::uint8_t* r = form == OutputForm::exact_residual ? residual[i / 2] : nullptr;
      finish_exact<form>(_mm512_load_si512(sums + 16 * i), dst[i / 2], r, n, rule, i & 1);
    }
  }
}

/// The same of whole panels' sums in registers, which have their starts.
template <OutputForm form, int rows>
OCTAVO_INLINE void finish_sums(const __m512i* sums, std::uint8_t* const* dst,
                               const std::uint8_t* const* residual, const PanelNumbers& n,
                               const OutputRule& rule) {
  if constexpr (kIsFast<form>) {
    finish_vectors<form, rows, true>(sums, dst, residual, n);
  } else {
    for (std::int64_t i = 0; i < std::int64_t{2} * rows; ++i)
      finish_exact<form>(sums[i], dst[i / 2], residual[i / 2], n, rule, i & 1);
  }
}

}  // namespace
}  // namespace octavo
