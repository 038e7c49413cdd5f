#include "engine/kernels/conv2d/tile_rule.h"

#include <algorithm>
#include <cmath>

namespace octavo {
namespace {

/// Results before clamping stay far within s32, so that conversion needs no clamp of its own.
constexpr float kSafeResult = 1e9F;

bool is_bounded(const OutputRule& rule, const std::vector<TileRules::SumRange>& sums) {
  for (std::size_t c = 0; c < sums.size(); ++c) {
    for (std::int64_t sum : {sums[c].least, sums[c].greatest}) {
      if (sum != static_cast<std::int32_t>(sum)) return false;
      const float v = (static_cast<float>(sum) + rule.bias[c]) * rule.multiplier[c];
      if (!(std::abs(v) <= kSafeResult)) return false;
    }
  }
  return true;
}

}  // namespace

TileRules::TileRules(const Conv2dProblem& p, const RuleArrays& arrays, const std::vector<SumRange>& sums)
    : arrays_(arrays) {
  const OutputRule rule = arrays.from(0);
  const bool is_signed = p.y == DType::s8;
  const std::int32_t shift = is_signed ? 128 : 0;
  const std::int32_t zero_point = p.residual != 0 ? rule.sum_zero_point : rule.zero_point;
  const float lowest = p.residual != 0 ? rule.sum_lowest : rule.lowest;
  const float highest = p.residual != 0 ? rule.sum_highest : rule.highest;
  rule_.lowest = rule.lowest;
  rule_.highest = rule.highest;
  if (p.y == DType::f32) {
    form_ = TileForm::real;
    return;
  }
  rule_.zero_point = static_cast<std::int16_t>(zero_point + shift);
  rule_.lowest_y = static_cast<std::uint8_t>(static_cast<std::int32_t>(lowest) + zero_point + shift);
  rule_.highest_y = static_cast<std::uint8_t>(static_cast<std::int32_t>(highest) + zero_point + shift);
  rule_.flip = is_signed ? 0x80 : 0;
  form_ = p.residual != 0 ? TileForm::exact_residual : TileForm::exact;
  if (p.residual == 0 && is_bounded(rule, sums)) form_ = TileForm::stored;
}

TileRule TileRules::from(std::int64_t place) const noexcept {
  TileRule rule = rule_;
  rule.exact = arrays_.from(place);
  rule.bias = rule.exact.bias;
  rule.multiplier = rule.exact.multiplier;
  return rule;
}

}  // namespace octavo
