#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/stage.h"
#include "engine/kernels/reference_sums.h"

namespace octavo {

WeightDifferences::WeightDifferences(const Conv2dProblem& p, const Operands& operands)
    : icg_(p.icg()), kh_(p.kh), kw_(p.kw) {
  const Operand& w = operands.inputs[1];
  if (!w.is_constant()) fail(ErrorCode::unsupported, "weights that are not constant");
  const auto zero_points = channel_quantization(w, p.oc, "w").zero_points;
  const std::int64_t window = icg_ * kh_ * kw_;
  differences_.resize(static_cast<std::size_t>(p.oc * window));
  for (std::int64_t i = 0; i < p.oc * window; ++i) {
    const std::int32_t zero_point = zero_points[static_cast<std::size_t>(i / window)];
    const std::int32_t difference = stored_at(w.constant.data, p.w, i) - zero_point;
    differences_[static_cast<std::size_t>(i)] = static_cast<std::int16_t>(difference);
    while (s8_part(difference, s8_parts_) != 0) ++s8_parts_;
  }
}

std::int32_t WeightDifferences::at(std::int64_t oc, std::int64_t ic, std::int64_t ky,
                                   std::int64_t kx) const noexcept {
  return differences_[static_cast<std::size_t>(((oc * icg_ + ic) * kh_ + ky) * kw_ + kx)];
}

std::int64_t WeightDifferences::sum(std::int64_t oc) const noexcept {
  const std::int64_t window = icg_ * kh_ * kw_;
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < window; ++i) total += differences_[static_cast<std::size_t>(oc * window + i)];
  return total;
}

std::int32_t s8_part(std::int32_t difference, std::int64_t part) noexcept {
  std::int32_t value = std::clamp(difference, -128, 127);
  for (; part > 0; --part) {
    difference -= value;
    value = std::clamp(difference, -128, 127);
  }
  return value;
}

RuleArrays::RuleArrays(const Conv2dProblem& p, const Operands& operands, std::int64_t places)
    : is_real_(p.y == DType::f32),
      bias_kind_(p.bias),
      stage_(conv2d_stage(p, operands)),
      start_(DType::s32, {places}),
      bias_(DType::f32, {places}),
      multiplier_(DType::f32, {places}) {
  if (p.bias != Bias::none) {
    bias_data_ = operands.inputs.back().constant.data;
    if (bias_data_ == nullptr) fail(ErrorCode::unsupported, "a bias that is not constant");
  }
  set_numbers(p, operands);
}

void RuleArrays::set_numbers(const Conv2dProblem& p, const Operands& operands) {
  const OutputStage& s = stage_;
  rule_.bias_factor = s.bias_factor;
  rule_.zero_point = s.zero_point;
  rule_.lowest = static_cast<float>(s.range.lowest - s.zero_point);
  rule_.highest = static_cast<float>(s.range.highest - s.zero_point);
  rule_.q_scale = s.result.scale;
  rule_.q_offset = -static_cast<float>(s.result.zero_point) * s.result.scale;
  rule_.r_scale = s.residual.scale;
  rule_.r_offset = -static_cast<float>(s.residual.zero_point) * s.residual.scale;
  rule_.inverse_scale = s.inverse_scale;
  rule_.sum_lowest = static_cast<float>(s.sum_range.lowest - s.sum_zero_point);
  rule_.sum_highest = static_cast<float>(s.sum_range.highest - s.sum_zero_point);
  rule_.sum_zero_point = s.sum_zero_point;
  rule_.r_is_signed = p.r == DType::s8 ? 1 : 0;
  if (!is_real_) return;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  rule_.lowest = p.activation == Activation::relu ? 0.0F : -kInfinity;
  rule_.highest = kInfinity;
  if (p.activation == Activation::clamp) {
    rule_.lowest = static_cast<float>(operands.parameter("lo"));
    rule_.highest = static_cast<float>(operands.parameter("hi"));
  }
}

void RuleArrays::set(std::int64_t place, std::int64_t channel, std::int64_t weight_sum,
                     std::int32_t x_zero_point) noexcept {
  const auto at = static_cast<std::size_t>(place);
  const auto c = static_cast<std::size_t>(channel);
  const float m = stage_.scale_of_sum[c];
  const BiasAt bias = bias_at(bias_kind_, bias_data_, channel, stage_, c);
  start_.as<std::int32_t>()[at] = wrapped(bias.in_sum - weight_sum * x_zero_point);
  bias_.as<float>()[at] = bias.addend;
  if (is_real_ && bias_kind_ == Bias::f32) {
    bias_.as<float>()[at] = reinterpret_cast<const float*>(bias_data_)[c];
  }
  multiplier_.as<float>()[at] = is_real_ ? m : stage_.multiplier[c];
}

OutputRule RuleArrays::from(std::int64_t place) const noexcept {
  OutputRule rule = rule_;
  rule.start = start_.as<std::int32_t>().data() + place;
  rule.bias = bias_.as<float>().data() + place;
  rule.multiplier = multiplier_.as<float>().data() + place;
  return rule;
}

}  // namespace octavo
