#include "engine/kernels/conv2d/fast_rule.h"

#include <gtest/gtest.h>

namespace octavo {
namespace {

constexpr std::int64_t kChannels = 3;

/// How a 1x1 convolution of one input channel with weights of 100 is followed.
OutputForm form_of(const Conv2dProblem& p, const Operands& operands) {
  RuleArrays arrays(p, operands, kChannels);
  for (std::int64_t c = 0; c < kChannels; ++c) arrays.set(c, c, 100, 0);
  return FastRules(p, arrays, std::vector<WindowSums>(kChannels, {0, 100})).form();
}

/// The same, given its biases.
OutputForm form_of(const std::vector<std::int32_t>& bias, const Quantization& y) {
  const auto p = parse_problem<Conv2dProblem>("conv2d ic1 ih1 iw1 oc3 bias=s32 arithmetic=ort");
  Tensor w(DType::s8, {kChannels, 1, 1, 1}), b(DType::s32, {kChannels});
  for (std::size_t c = 0; c < kChannels; ++c) b.as<std::int32_t>()[c] = bias[c];
  const Quantization one = Quantization::per_tensor(1, 0);
  Operands operands;
  operands.inputs = {{DType::u8, &one, {}}, {DType::s8, &one, w.view()}, {DType::s32, nullptr, b.view()}};
  operands.output = {DType::u8, &y, {}};
  return form_of(p, operands);
}
OutputForm form_of(const std::vector<std::int32_t>& bias, float y_scale) {
  return form_of(bias, Quantization::per_tensor(y_scale, 0));
}

TEST(FastRules, TakeThePlainFormWhereResultsAreBounded) {
  EXPECT_EQ(form_of({-5, 0, 5}, 1.0F), OutputForm::stored_bare);
}

TEST(FastRules, StayFastWhereSumsWrap) {
  // Quantizers give channels of tiny weights such biases: 2 of ResNet-50's stem have them.
  EXPECT_EQ(form_of({INT32_MIN, 0, INT32_MAX - 100}, 1000.0F), OutputForm::stored_bare);
}

TEST(FastRules, TakeAZeroPointWithTheRounding) {
  EXPECT_EQ(form_of({-5, 0, 5}, Quantization::per_tensor(1, 7)), OutputForm::stored_shifted);
}

TEST(FastRules, RoundOnceWhereTheResidualsScaleIsNoSimpleRatio) {
  const auto p = parse_problem<Conv2dProblem>("conv2d ic1 ih1 iw1 oc3 residual1");
  Tensor w(DType::s8, {kChannels, 1, 1, 1});
  const Quantization one = Quantization::per_tensor(1, 3), half = Quantization::per_tensor(0.5F, 0);
  const Quantization r = Quantization::per_tensor(1.2931F, 7), y = Quantization::per_tensor(1.7123F, 0);
  Operands operands;
  operands.inputs = {{DType::u8, &one, {}}, {DType::s8, &half, w.view()}, {DType::u8, &r, {}}};
  operands.output = {DType::u8, &y, {}};
  for (double zero_point : {121.0, 122.0}) {
    operands.parameters = {{"conv_scale", 1.0}, {"conv_zero_point", zero_point}};
    EXPECT_EQ(form_of(p, operands), OutputForm::residual_bare) << zero_point;
  }
}

TEST(FastRules, AreExactWhereResultsMayReachTwoTo22) {
  EXPECT_EQ(form_of({0, 0, 3'900'000}, 1.0F), OutputForm::stored_bare);
  EXPECT_EQ(form_of({0, 0, 4'000'000}, 1.0F), OutputForm::exact);
  EXPECT_EQ(form_of({-4'000'001, 0, 0}, 1.0F), OutputForm::exact);
  EXPECT_EQ(form_of({0, 0, INT32_MAX - 100}, 1.0F), OutputForm::exact);
  EXPECT_EQ(form_of({0, 0, INT32_MAX - 25600}, 1.0F), OutputForm::exact);
}

}  // namespace
}  // namespace octavo
