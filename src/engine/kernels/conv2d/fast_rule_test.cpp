#include "engine/kernels/conv2d/fast_rule.h"

#include <gtest/gtest.h>

namespace octavo {
namespace {

constexpr std::int64_t kChannels = 3;

/// How a 1x1 convolution of one input channel with weights of 100 is followed, given its biases.
OutputForm form_of(const std::string& words, const std::vector<std::int32_t>& bias, float y_scale) {
  const auto p = parse_problem<Conv2dProblem>("conv2d ic1 ih1 iw1 oc3 bias=s32 arithmetic=ort " + words);
  Tensor w(DType::s8, {kChannels, 1, 1, 1}), b(DType::s32, {kChannels});
  for (std::size_t c = 0; c < kChannels; ++c) b.as<std::int32_t>()[c] = bias[c];
  const Quantization one = Quantization::per_tensor(1, 0), y = Quantization::per_tensor(y_scale, 0);
  Operands operands;
  operands.inputs = {{DType::u8, &one, {}}, {DType::s8, &one, w.view()}, {DType::s32, nullptr, b.view()}};
  operands.output = {DType::u8, &y, {}};
  RuleArrays arrays(p, operands, kChannels);
  for (std::int64_t c = 0; c < kChannels; ++c) arrays.set(c, c, 100, 0);
  return FastRules(p, arrays, std::vector<WindowSums>(kChannels, {0, 100})).form();
}

TEST(FastRules, TakeThePlainFormWhereResultsAreBounded) {
  EXPECT_EQ(form_of("", {-5, 0, 5}, 1.0F), OutputForm::stored_bare);
}

TEST(FastRules, StayFastWhereSumsWrap) {
  // Quantizers give channels of tiny weights such biases: 2 of ResNet-50's stem have them.
  EXPECT_EQ(form_of("", {INT32_MIN, 0, INT32_MAX - 100}, 1000.0F), OutputForm::stored_bare);
}

TEST(FastRules, AreExactWhereResultsMayLeaveS32) {
  EXPECT_EQ(form_of("", {-5, 0, 5}, 1e-6F), OutputForm::exact);
  EXPECT_EQ(form_of("", {0, 0, INT32_MAX - 100}, 1.0F), OutputForm::exact);
  EXPECT_EQ(form_of("", {0, 0, INT32_MAX - 25600}, 1.0F), OutputForm::exact);
}

}  // namespace
}  // namespace octavo
