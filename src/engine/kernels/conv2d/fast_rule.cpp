#include "engine/kernels/conv2d/fast_rule.h"

#include <emmintrin.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace octavo {
namespace {

/// Results before clamping stay below 2^22, where kRounder rounds: more than layers of trained models reach.
constexpr float kSafeResult = 4e6F;

/// The sums of a channel over all u8 inputs; those that leave s32 wrap, and can be anything.
struct SumRange {
  std::int64_t least, greatest;

  SumRange(std::int32_t start, const WindowSums& window)
      : least(start + 255 * window.negative), greatest(start + 255 * window.positive) {
    using Limits = std::numeric_limits<std::int32_t>;
    if (least < Limits::min() || greatest > Limits::max()) least = Limits::min(), greatest = Limits::max();
  }
};

struct PieceSums {
  std::int32_t negative, total;
};

std::int32_t sum_of_lanes(__m128i lanes) {
  lanes = _mm_add_epi32(lanes, _mm_shuffle_epi32(lanes, 0x4E));
  lanes = _mm_add_epi32(lanes, _mm_shuffle_epi32(lanes, 0xB1));
  return _mm_cvtsi128_si32(lanes);
}

/// Of a multiple of 8.
PieceSums sums_of_vectors(std::span<const std::int16_t> differences) noexcept {
  const __m128i ones = _mm_set1_epi16(1);
  __m128i negative = _mm_setzero_si128(), total = _mm_setzero_si128();
  for (std::size_t i = 0; i < differences.size(); i += 8) {
    const __m128i d = _mm_loadu_si128(reinterpret_cast<const __m128i*>(&differences[i]));
    total = _mm_add_epi32(total, _mm_madd_epi16(d, ones));
    negative = _mm_add_epi32(negative, _mm_madd_epi16(_mm_min_epi16(d, _mm_setzero_si128()), ones));
  }
  return {sum_of_lanes(negative), sum_of_lanes(total)};
}

bool is_bounded(const OutputRule& rule, const std::vector<WindowSums>& windows) {
  for (std::size_t c = 0; c < windows.size(); ++c) {
    const SumRange sums(rule.start[c], windows[c]);
    for (std::int64_t sum : {sums.least, sums.greatest}) {
      const float v = std::fma(rule.bias[c], rule.bias_factor, static_cast<float>(sum)) * rule.multiplier[c];
      if (!(std::abs(v) <= kSafeResult)) return false;
    }
  }
  return true;
}

/// `value` moved by some units in its last place.
float nudged(float value, int ulps) {
  for (; ulps > 0; --ulps) value = std::nextafter(value, INFINITY);
  for (; ulps < 0; ++ulps) value = std::nextafter(value, -INFINITY);
  return value;
}

/// Sets what rule.r_factor needs so that r as stored counts from `offset`: -2^15 * r_factor as f32 can be as
/// far off as 2^-9, which the last byte of r_zero, 1/256 of a residual each, makes good.
void set_offset(double offset, FastRule& rule) {
  constexpr std::int32_t kTwoTo15 = 0x47000000;  // the bits of 2^15 in f32
  double least = INFINITY;
  for (int part = 0; part < 256; ++part) {
    const double exact = offset - double{rule.r_factor} * (32768 + part / 256.0);
    const auto rounded = static_cast<float>(exact);
    const double error = std::abs(double{rounded} - exact);
    if (error >= least) continue;
    least = error;
    rule.offset = rounded;
    rule.r_zero = kTwoTo15 + part;
  }
}

/// Finds factors with which the residual is added in one rounding and no pair of stored values comes out
/// otherwise than by the exact rule. The exact rule rounds five times, so that the nearest factors differ in
/// the few pairs that fall beside a tie; slightly other ones mostly do not.
bool find_residual_rule(const OutputRule& exact, FastRule& rule) {
  rule.exact = exact;
  rule.r_flip = exact.r_is_signed != 0 ? 0x80 : 0;
  const double inverse = exact.inverse_scale;
  const auto q_factor = static_cast<float>(exact.q_scale * inverse);
  const auto r_factor = static_cast<float>(exact.r_scale * inverse);
  const double lowest_r = exact.r_is_signed != 0 ? -128 : 0;
  const double offset = (double{exact.q_scale} * exact.zero_point + double{exact.q_offset} +
                         double{exact.r_scale} * lowest_r + double{exact.r_offset}) *
                        inverse;
  constexpr int kNudges[] = {0, 1, -1, 2, -2, 3, -3};
  constexpr double kOffsets[] = {0, 1e-5, -1e-5, 2e-5, -2e-5, 4e-5, -4e-5};
  int first_q = 0;
  for (double moved : kOffsets) {
    for (int r : kNudges) {
      rule.r_factor = nudged(r_factor, r);
      set_offset(offset + moved, rule);
      for (int q : kNudges) {
        rule.q_factor = nudged(q_factor, q);
        if (residual_rule_holds_avx512_vnni(rule, &first_q)) return true;
      }
    }
  }
  return false;
}

/// An even number beside kRounder leaves ties to even. Minus the lowest of 256 results it makes f32's last
/// byte count from there; if that one is odd the highest is even, and signs are changed.
void set_rounding(FastRule& rule) {
  const OutputRule& exact = rule.exact;
  const bool is_byte = exact.highest - exact.lowest == 255;
  const bool turns = is_byte && static_cast<int>(exact.lowest) % 2 != 0;
  rule.sign = turns ? -1.0F : 1.0F;
  rule.lowest = turns ? -exact.highest : exact.lowest;
  rule.highest = turns ? -exact.lowest : exact.highest;
  rule.q_factor *= rule.sign;
  rule.rounder = kRounder - (is_byte ? rule.lowest : 0);
  rule.beyond = is_byte ? 0x003FFF00 : -1;
}

}  // namespace

WindowSums window_sums(std::span<const std::int16_t> differences) noexcept {
  WindowSums sums;
  constexpr std::size_t kVector = 8, kPiece = std::size_t{1} << 20;  // whose sums fit 32 bits
  while (differences.size() >= kVector) {
    const std::size_t count = std::min(differences.size(), kPiece) / kVector * kVector;
    const PieceSums piece = sums_of_vectors(differences.first(count));
    sums.negative += piece.negative;
    sums.positive += std::int64_t{piece.total} - piece.negative;
    differences = differences.subspan(count);
  }
  for (std::int16_t difference : differences) (difference < 0 ? sums.negative : sums.positive) += difference;
  return sums;
}

std::optional<SplitBias> split_bias(double bias, float multiplier, std::int64_t least,
                                    std::int64_t greatest) {
  // Whole numbers below this are exact in f32, and this many steps beyond the zero point every result is cut.
  constexpr double kExact = 1 << 24, kBeyond = 512;
  if (bias == 0) return SplitBias{0, 0};
  const double whole = std::nearbyint(bias), part = bias - whole;
  const auto most = static_cast<double>(std::max(std::abs(least), std::abs(greatest))) + std::abs(whole);
  if (!(most < 0x1p31)) return std::nullopt;
  if (most >= kExact - 1 && !((kExact - 2 - std::abs(whole)) * multiplier >= kBeyond)) return std::nullopt;
  auto addend = static_cast<float>(part);
  if (double{addend} != part) {
    // Sums below 2^bits make less than half a step either way. Greater ones round to multiples of
    // 2^(bits - 24): to the same unless a tie lies between the two parts, and the only one so near is the
    // addend itself.
    const int bits = std::ilogb(0.4 / multiplier - 1);
    if (!(multiplier < 0.08F)) return std::nullopt;  // bits < 2
    const bool is_tie = std::fmod(addend, std::ldexp(1.0, bits - 25)) == 0;
    if (is_tie) addend = std::nextafter(addend, part > double{addend} ? 1.0F : -1.0F);
  }
  return SplitBias{static_cast<std::int32_t>(whole), addend};
}

FastRules::FastRules(const Conv2dProblem& p, const RuleArrays& arrays) : arrays_(&arrays) {
  rule_.sign = 1;
  rule_.start = arrays.from(0).start;
  rule_.addend = arrays.from(0).bias;
  if (p.y != DType::f32) form_ = p.residual != 0 ? OutputForm::exact_residual : OutputForm::exact;
}

FastRules::FastRules(const Conv2dProblem& p, const RuleArrays& arrays, const std::vector<WindowSums>& windows)
    : FastRules(p, arrays) {
  if (form_ == OutputForm::real) return;
  const OutputRule rule = arrays.from(0);
  const bool is_signed = p.y == DType::s8;
  const std::int32_t shift = is_signed ? 128 : 0;
  const std::int32_t zero_point = p.residual != 0 ? rule.sum_zero_point : rule.zero_point;
  const float lowest = p.residual != 0 ? rule.sum_lowest : rule.lowest;
  const float highest = p.residual != 0 ? rule.sum_highest : rule.highest;
  rule_.zero_point = static_cast<std::int16_t>(zero_point + shift);
  rule_.lowest_y = static_cast<std::uint8_t>(static_cast<std::int32_t>(lowest) + zero_point + shift);
  rule_.highest_y = static_cast<std::uint8_t>(static_cast<std::int32_t>(highest) + zero_point + shift);
  rule_.flip = is_signed ? 0x80 : 0;
  const bool is_any = !is_signed && rule_.lowest_y == 0 && rule_.highest_y == 255;
  const bool is_plain = is_any && rule_.zero_point == 0 && !(p.residual != 0 && p.r == DType::s8);
  const bool is_bare = is_plain && p.bias != Bias::f32;
  if (!is_bounded(rule, windows)) return;
  if (p.residual != 0 && !find_residual_rule(rule, rule_)) return;
  if (!split_biases(windows)) return;
  if (p.residual == 0) {
    form_ = is_bare    ? OutputForm::stored_bare
            : is_plain ? OutputForm::stored_plain
            : is_any   ? OutputForm::stored_shifted
                       : OutputForm::stored;
  } else {
    set_rounding(rule_);
    form_ = is_bare    ? OutputForm::residual_bare
            : is_plain ? OutputForm::residual_plain
                       : OutputForm::residual;
  }
}

bool FastRules::split_biases(const std::vector<WindowSums>& windows) {
  const OutputRule exact = arrays_->from(0);
  if (exact.bias_factor == 1.0F) return true;  // fma(bias, 1, sum) is sum + bias
  start_ = Tensor(DType::s32, {arrays_->places()});
  addend_ = Tensor(DType::f32, {arrays_->places()});
  for (std::size_t c = 0; c < windows.size(); ++c) {
    const SumRange sums(exact.start[c], windows[c]);
    const double bias = double{exact.bias[c]} * double{exact.bias_factor};
    const auto split = split_bias(bias, exact.multiplier[c], sums.least, sums.greatest);
    if (!split) return false;
    start_.as<std::int32_t>()[c] = exact.start[c] + split->start;
    addend_.as<float>()[c] = split->addend;
  }
  rule_.start = start_.as<std::int32_t>().data();
  rule_.addend = addend_.as<float>().data();
  return true;
}

FastRule FastRules::from(std::int64_t place) const noexcept {
  FastRule rule = rule_;
  rule.exact = arrays_->from(place);
  rule.start += place;
  rule.addend += place;
  return rule;
}

}  // namespace octavo
