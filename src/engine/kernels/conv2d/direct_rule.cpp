#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/stage.h"
#include "engine/kernels/reference_sums.h"

namespace octavo {

namespace {

template <class T>
void subtract(const std::byte* weights, std::int32_t zero_point, std::span<std::int16_t> differences) {
  const auto* stored = reinterpret_cast<const T*>(weights);
  const auto zero = static_cast<std::int16_t>(zero_point);  // no more bits than results: vectors of 16
  for (std::size_t i = 0; i < differences.size(); ++i) {
    differences[i] = static_cast<std::int16_t>(static_cast<std::int16_t>(stored[i]) - zero);
  }
}

std::int64_t parts_of(std::int32_t difference) {
  std::int64_t parts = 1;
  while (s8_part(difference, parts) != 0) ++parts;
  return parts;
}

}  // namespace

WeightDifferences::WeightDifferences(const Conv2dProblem& p, const Operands& operands)
    : dtype_(p.w), weights_(operands.inputs[1].constant.data) {
  if (!operands.inputs[1].is_constant()) fail(ErrorCode::unsupported, "weights that are not constant");
  const auto zero_points = channel_quantization(operands.inputs[1], p.oc, "w").zero_points;
  zero_points_.assign(zero_points.begin(), zero_points.end());
  channel_.resize(static_cast<std::size_t>(p.icg() * p.kh * p.kw));
  const std::int32_t usual = dtype_ == DType::s8 ? 0 : 128;
  for (std::int64_t oc = 0; oc < p.oc; ++oc) {
    if (zero_points_[static_cast<std::size_t>(oc)] == usual) continue;
    for (std::int16_t difference : channel(oc)) s8_parts_ = std::max(s8_parts_, parts_of(difference));
  }
}

std::span<const std::int16_t> WeightDifferences::channel(std::int64_t oc) {
  const std::byte* const stored = weights_ + oc * std::ssize(channel_);
  const std::int32_t zero_point = zero_points_[static_cast<std::size_t>(oc)];
  if (dtype_ == DType::s8) {
    subtract<std::int8_t>(stored, zero_point, channel_);
  } else {
    subtract<std::uint8_t>(stored, zero_point, channel_);
  }
  return channel_;
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
  if (p.residual != 0) set_addition(p);
  if (!is_real_) return;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  rule_.lowest = p.activation == Activation::relu ? 0.0F : -kInfinity;
  rule_.highest = kInfinity;
  if (p.activation == Activation::clamp) {
    rule_.lowest = static_cast<float>(operands.parameter("lo"));
    rule_.highest = static_cast<float>(operands.parameter("hi"));
  }
}

void RuleArrays::set_addition(const Conv2dProblem& p) {
  const OutputStage& s = stage_;
  const auto zero = [](const TensorQuantization& q) { return static_cast<float>(q.zero_point); };
  if (p.arithmetic == Arithmetic::fbgemm) {
    rule_.addition = Addition::in_reals;
    rule_.q_scale = s.result.scale;
    rule_.q_offset = -zero(s.result) * s.result.scale;
    rule_.r_scale = s.residual.scale;
    rule_.r_offset = -zero(s.residual) * s.residual.scale;
    rule_.inverse_scale = 1.0F / s.sum.scale;
    rule_.sum_zero_point = s.sum.zero_point;
  } else {
    const bool result_first = p.residual == 1;
    const TensorQuantization& a = result_first ? s.result : s.residual;
    const TensorQuantization& b = result_first ? s.residual : s.result;
    const float a_scale = a.scale / s.sum.scale, b_scale = b.scale / s.sum.scale;
    const float offset = zero(s.sum) - std::fma(a_scale, zero(a), b_scale * zero(b));
    rule_.addition = result_first ? Addition::result_first : Addition::residual_first;
    rule_.q_scale = result_first ? a_scale : b_scale;
    rule_.r_scale = result_first ? b_scale : a_scale;
    rule_.q_offset = result_first ? 0.0F : offset;
    rule_.r_offset = result_first ? offset : 0.0F;
    rule_.inverse_scale = 1.0F;
    rule_.sum_zero_point = 0;
  }
  rule_.sum_lowest = static_cast<float>(s.sum_range.lowest - rule_.sum_zero_point);
  rule_.sum_highest = static_cast<float>(s.sum_range.highest - rule_.sum_zero_point);
  rule_.r_is_signed = p.r == DType::s8 ? 1 : 0;
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
