#include "engine/kernels/conv2d/fast_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

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

/// Every length up to some vectors; long ones whose sums leave 32 bits, and end within a vector.
TEST(WindowSums, AreThoseOfTheNegativeAndThePositive) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> any(-255, 255), high(200, 255);
  const auto expect_sums = [](const std::vector<std::int16_t>& differences) {
    std::int64_t negative = 0, positive = 0;
    for (std::int16_t d : differences) (d < 0 ? negative : positive) += d;
    const WindowSums sums = window_sums(differences);
    EXPECT_EQ(sums.negative, negative) << differences.size();
    EXPECT_EQ(sums.positive, positive) << differences.size();
  };
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<std::int16_t> differences(size);
    for (std::int16_t& d : differences) d = static_cast<std::int16_t>(any(random));
    expect_sums(differences);
  }
  std::vector<std::int16_t> many((std::size_t{11} << 20) + 5);
  for (std::int16_t& d : many) d = static_cast<std::int16_t>(high(random));
  expect_sums(many);
  for (std::int16_t& d : many) d = static_cast<std::int16_t>(-d);
  expect_sums(many);
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
  auto of_s8 = p;
  of_s8.r = DType::s8;
  operands.inputs[2].dtype = DType::s8;
  EXPECT_EQ(form_of(of_s8, operands), OutputForm::residual);
}

/// Whether all sums between -reach and reach give the same result of a byte either way.
bool parts_hold(float bias, float factor, float multiplier, std::int32_t reach) {
  const auto split = split_bias(double{bias} * double{factor}, multiplier, -reach, reach);
  if (!split) return false;
  const auto result = [&](float v) {
    return static_cast<int>(std::nearbyint(std::clamp(v * multiplier, -256.0F, 256.0F)));
  };
  for (std::int32_t s = -reach; s <= reach; ++s) {
    const float in_one = std::fma(bias, factor, static_cast<float>(s));
    const float in_two = static_cast<float>(s + split->start) + split->addend;
    if (result(in_one) != result(in_two)) return false;
  }
  return true;
}

TEST(SplitBias, GivesTheResultsOfOneRounding) {
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> real(0, 1);
  for (int i = 0; i < 200; ++i) {
    const float multiplier = std::exp2(-4 - 9 * real(random));
    const float factor = 1 / (multiplier * (0.5F + real(random)));
    const float bias = 200 * (real(random) - 0.5F);
    EXPECT_TRUE(parts_hold(bias, factor, multiplier, 1 << 15)) << bias << " " << factor << " " << multiplier;
  }
}

TEST(SplitBias, MovesTheAddendOffATie) {
  // Just above a half of what f32 resolves at a sum of 2^exponent, by less than the addend itself resolves.
  for (int exponent = 10; exponent < 18; ++exponent) {
    const float tie = std::ldexp(1.0F, exponent - 24);
    for (double bias : {tie * (1 + 0x1p-30), tie * (1 - 0x1p-30), -tie * (1 + 0x1p-30)}) {
      const auto split = split_bias(bias, 1e-3F, -(1 << 20), 1 << 20);
      ASSERT_TRUE(split);
      const auto sum = static_cast<float>(1 << exponent);
      for (float s : {sum, sum + 1, -sum, -sum - 1}) {
        EXPECT_EQ(s + split->addend, static_cast<float>(static_cast<long double>(s) + bias))
            << s << " " << bias;
      }
    }
  }
}

TEST(SplitBias, RefusesWhatItCannotProve) {
  EXPECT_FALSE(split_bias(0.1, 0.5F, -100, 100));                   // sums of 1 are half a step
  EXPECT_TRUE(split_bias(0.25, 0.5F, -100, 100));                   // exact
  EXPECT_FALSE(split_bias(2e9, 1e-3F, -200'000'000, 0x7fff'ffff));  // wraps
  EXPECT_TRUE(split_bias(1000.1, 1e-3F, -(1 << 26), 1 << 26));      // whatever f32 cannot count is cut
  EXPECT_FALSE(split_bias(1000.1, 1e-5F, -(1 << 26), 1 << 26));
  EXPECT_TRUE(split_bias(1000.1, 1e-5F, -(1 << 20), 1 << 20));
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
