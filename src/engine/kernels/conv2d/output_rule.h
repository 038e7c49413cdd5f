#pragma once
#include <cstdint>

namespace octavo {

// How the kernels that are compiled for one ISA each turn sums into results. Plain pointers only.

/// The order of operations in which a residual r is added to a result q, and how f32 rounds it.
enum class Addition : std::int32_t {
  in_reals,        ///< (fma(q, q_scale, q_offset) + fma(r, r_scale, r_offset)) * inverse_scale
  result_first,    ///< fma(q, q_scale, fma(r, r_scale, r_offset))
  residual_first,  ///< fma(r, r_scale, fma(q, q_scale, q_offset))
};

/// How sums become results; numerics.md's "conv / linear". Arrays are in the kernel's order of channels and
/// as long as whole panels; `start` is what each channel's sum begins with.
struct OutputRule {
  const std::int32_t* start;
  const float* bias;        ///< OutputStage::bias_addend (stored results) or in reals (f32 results)
  const float* multiplier;  ///< f32(m / scale(y)) or m
  float bias_factor;        ///< of stored results: f32(sum) becomes fma(bias, bias_factor, f32(sum))
  float lowest, highest;    ///< of a stored result less its zero point, or of an f32 result
  std::int32_t zero_point;
  // With a residual: y = clamp(rint(v)) + sum_zero_point, v as `addition` says.
  Addition addition;
  float q_scale, q_offset, r_scale, r_offset, inverse_scale;
  float sum_lowest, sum_highest;  ///< of y less sum_zero_point
  std::int32_t sum_zero_point;    ///< of y; 0 where an offset holds it already
  std::int32_t r_is_signed;
};

/// How sums become results.
enum class OutputForm {
  stored,          ///< (f32(sum) + addend) * multiplier
  residual,        ///< the same, then the residual in one rounding: proven equal for every pair
  stored_shifted,  ///< `stored` where y may be any u8
  stored_plain,    ///< `stored_shifted` where y's zero point is 0
  residual_plain,  ///< `residual` where y has zero point 0 and any u8, and the residual is u8
  stored_bare,     ///< `stored_plain` without a bias, or with one that the sums begin with
  residual_bare,   ///< `residual_plain`, likewise
  exact,           ///< every OutputRule in the order of its operations; stored results
  exact_residual,
  real,  ///< f32 results
};

/// Added to a real below 2^22 it leaves the whole number nearest to it, ties to even, in f32's last bits.
inline constexpr float kRounder = 12582912.0F;  // 1.5 * 2^23

/// OutputRule in the numbers of the fast forms; there results are u8 until `flip` (0x80 for s8) is applied.
struct FastRule {
  OutputRule exact;
  /// By channel: what sums begin with and what f32(sum) is added to; `exact`'s in the forms that are none of
  /// the fast ones.
  const std::int32_t* start;
  const float* addend;
  std::int32_t adds_starts;  ///< sums come without their channel's start
  /// Results, less their zero point, are computed times this: 1, or -1 before a residual.
  float sign;
  float lowest, highest;  ///< of a result before the residual, times `sign`
  /// kRounder and an even number, for results before the residual. Added to one beyond lowest..highest it
  /// sets a bit of `beyond`, which may be set otherwise too.
  float rounder;
  std::int32_t beyond;
  /// rint(fma(q, q_factor, fma(r, r_factor, offset))) is y less its (sum) zero point, of q times `sign` less
  /// its zero point and r the f32 with the bits r_zero + 256 * u, which is 2^15 + u + a part of 1, of u the
  /// stored residual as u8: 128 more than one that is s8, which only the form `residual` takes.
  float q_factor, r_factor, offset;
  std::int32_t r_zero;
  std::uint8_t r_flip;      ///< 0x80 for s8
  std::int16_t zero_point;  ///< of y as u8
  std::uint8_t lowest_y, highest_y;
  std::uint8_t flip;
};

/// Whether the residual in one rounding (`rule`'s q_factor, r_factor, offset) equals the exact rule for every
/// convolution result and every stored residual. `first_q`: the result that is tried first; where the
/// answer is no, one that differs.
bool residual_rule_holds_avx512_vnni(const FastRule& rule, int* first_q);

}  // namespace octavo
