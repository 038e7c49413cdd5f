#include "engine/kernels/conv2d/winograd.h"

#include <gtest/gtest.h>

#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/testing/conformance.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using namespace octavo::testing;

/// A 3x3 convolution of one image.
struct Operation {
  Conv2dProblem problem;
  std::vector<std::uint8_t> x;
  std::vector<std::int8_t> w;
  std::vector<std::int32_t> bias;  ///< where the problem has one
  Quantization xq = Quantization::per_tensor(1, 0), wq = Quantization::per_tensor(1, 0),
               yq = Quantization::per_tensor(1, 0);

  explicit Operation(const std::string& line)
      : problem(parse_problem<Conv2dProblem>(line)),
        x(static_cast<std::size_t>(problem.ih * problem.iw * problem.ic)),
        w(static_cast<std::size_t>(problem.oc * problem.ic * 9)),
        bias(static_cast<std::size_t>(problem.oc)) {}

  [[nodiscard]] Operands operands() const {
    Operands operands;
    operands.inputs = {
        {DType::u8, &xq, {}},
        {DType::s8,
         &wq,
         {DType::s8, {problem.oc, problem.ic, 3, 3}, reinterpret_cast<const std::byte*>(w.data())}}};
    if (problem.bias != Bias::none) {
      const auto* data = reinterpret_cast<const std::byte*>(bias.data());
      operands.inputs.push_back({DType::s32, nullptr, {DType::s32, {problem.oc}, data}});
    }
    operands.output = {DType::u8, &yq, {}};
    return operands;
  }

  [[nodiscard]] std::vector<std::uint8_t> result_of(const Prepared& kernel) const {
    const std::byte* inputs[] = {reinterpret_cast<const std::byte*>(x.data()),
                                 reinterpret_cast<const std::byte*>(w.data()),
                                 reinterpret_cast<const std::byte*>(bias.data())};
    std::vector<std::uint8_t> y(static_cast<std::size_t>(problem.oh() * problem.ow() * problem.oc));
    const Tensor scratch(DType::u8, {kernel.scratch_bytes() + 1});
    kernel.run(
        {inputs, reinterpret_cast<std::byte*>(y.data()), const_cast<std::byte*>(scratch.view().data), 1},
        {0, 1});
    return y;
  }
  [[nodiscard]] std::vector<std::uint8_t> expected() const {
    return result_of(*conv2d_kernels().back().prepare(problem, operands()));
  }
};

/// What refuses the operation, or "".
std::string refusal_of(const Operation& operation) {
  try {
    prepare_winograd(operation.problem, operation.operands());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    return error.what();
  }
  return "";
}

/// Compares both rows, where both are legal.
void expect_exact(const Operation& operation) {
  const std::vector<std::uint8_t> expected = operation.expected();
  EXPECT_EQ(operation.result_of(*prepare_winograd(operation.problem, operation.operands())), expected);
  if (!wide_winograd_supports(operation.problem)) return;
  EXPECT_EQ(operation.result_of(*prepare_wide_winograd(operation.problem, operation.operands())), expected)
      << "wide";
}

// Only the least and greatest numbers, at random: what does not fit 16 bits shows.
TEST(WinogradConvolution, IsExactForExtremeNumbers) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "needs avx512_vnni";
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const char* const lines[] = {"conv2d ic2 ih10 iw9 oc32 kh3 kw3 pt1 pl1 pb1 pr1",
                                 "conv2d ic33 ih8 iw7 oc16 kh3 kw3", "conv2d ic131 ih6 iw5 oc17 kh3 kw3 pt1",
                                 "conv2d ic35 ih9 iw22 oc64 kh3 kw3 pt1 pl1 pb1 pr1"};
    Operation o(lines[seed % 4]);
    for (std::uint8_t& x : o.x) x = random() % 2 == 0 ? 0 : 255;
    for (std::int8_t& w : o.w) w = random() % 2 == 0 ? -128 : 127;
    o.xq = Quantization::per_tensor(1, static_cast<std::int32_t>(random() % 256));
    o.yq = Quantization::per_tensor(static_cast<float>(1 + random() % 4000), 128);
    expect_exact(o);
  }
}

// The transforms of one tile at their limits: inputs that follow the signs of a point's coefficients, weights
// likewise, give products of 17,340 and 18,432.
TEST(WinogradConvolution, IsExactWhereATransformIsLargest) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "needs avx512_vnni";
  constexpr int kInputs[6][6] = {{4, 0, -5, 0, 1, 0},  {0, 4, 4, -1, -1, 0}, {0, -4, 4, 1, -1, 0},
                                 {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
  constexpr int kWeights[6][3] = {{6, 0, 0}, {4, 4, 4}, {4, -4, 4}, {1, 2, 4}, {1, -2, 4}, {0, 0, 12}};
  for (std::size_t point = 0; point < 36; ++point) {
    for (int sign : {1, -1}) {
      Operation o("conv2d ic1 ih6 iw6 oc2 kh3 kw3");
      for (std::size_t i = 0; i < 36; ++i) {
        const int coefficient = kInputs[point / 6][i / 6] * kInputs[point % 6][i % 6];
        o.x[i] = sign * coefficient > 0 ? 255 : 0;
      }
      for (std::size_t i = 0; i < 9; ++i) {
        const bool is_positive = kWeights[point / 6][i / 3] * kWeights[point % 6][i % 3] >= 0;
        o.w[i] = is_positive ? 127 : -128;
        o.w[9 + i] = is_positive ? -128 : 127;
      }
      for (float scale : {1.0F, 64.0F, 2048.0F}) {
        o.yq = Quantization::per_tensor(scale, 128);
        EXPECT_EQ(o.result_of(*prepare_winograd(o.problem, o.operands())), o.expected()) << point << sign;
      }
    }
  }
}

// Sums with a bias of 2^25 and more do not fit 26 bits, those without it do.
TEST(WinogradConvolution, AddsLargeBiases) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "needs avx512_vnni";
  for (std::int32_t most : {1 << 20, (1 << 25) - 100, 1 << 25, 1 << 28}) {
    SCOPED_TRACE(most);
    Random random(static_cast<std::uint64_t>(most));
    Operation o("conv2d ic17 ih7 iw6 oc64 kh3 kw3 bias=s32 arithmetic=ort");
    for (std::uint8_t& x : o.x) x = static_cast<std::uint8_t>(random());
    for (std::int8_t& w : o.w) w = static_cast<std::int8_t>(random());
    for (std::size_t c = 0; c < o.bias.size(); ++c) o.bias[c] = c % 2 == 0 ? most : -most;
    o.yq = Quantization::per_tensor(static_cast<float>(most) / 100, 128);
    expect_exact(o);
  }
}

TEST(WinogradConvolution, RefusesSumsThatCouldReach2To25) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "needs avx512_vnni";
  Operation o("conv2d ic116 ih3 iw3 oc3 kh3 kw3");
  constexpr std::size_t channel{1044};  // 116 * 9
  // 1036 * 127 + 14 = 131,586, and 255 times that is 2^25 - 2.
  for (std::size_t i = 0; i < 1036; ++i) o.w[channel + i] = 127;
  o.w[channel + 1036] = 14;
  EXPECT_EQ(refusal_of(o), "");
  o.w[channel + 1036] = 15;
  EXPECT_EQ(refusal_of(o), "sums of channel 1 can reach 2^25");
  for (std::size_t i = 0; i <= 1036; ++i) o.w[channel + i] = static_cast<std::int8_t>(-o.w[channel + i]);
  EXPECT_EQ(refusal_of(o), "sums of channel 1 can reach 2^25");
}

TEST(WinogradConvolution, RefusesWeightsBeyondS8) {
  if (!runs_here(Isa::avx512_vnni)) GTEST_SKIP() << "needs avx512_vnni";
  Operation o("conv2d ic1 ih3 iw3 oc1 kh3 kw3");
  o.w[4] = 127;
  o.wq = Quantization::per_tensor(1, -1);
  EXPECT_EQ(refusal_of(o), "weights less their zero point beyond s8");
}

TEST(WinogradConvolution, TellsWhatItCannotDo) {
  const auto reason = [](const char* line) {
    return std::string(winograd_supports(parse_problem<Conv2dProblem>(line)).reason);
  };
  EXPECT_EQ(reason("conv2d ic64 ih56 iw56 oc64 kh3 kw3 pt1 pl1 pb1 pr1"), "");
  EXPECT_EQ(reason("conv2d ic64 ih56 iw56 oc64 kh3 kw3 sh2 sw2"), "not a 3x3 window with stride 1");
  EXPECT_EQ(reason("conv2d ic64 ih56 iw56 oc64 kh3 kw3 dh2"), "not a 3x3 window with stride 1");
  EXPECT_EQ(reason("conv2d ic64 ih56 iw56 oc64 kh3 kw3 g2"), "groups");
  EXPECT_EQ(reason("conv2d ic3 ih56 iw56 oc64 kh3 kw3"), "too few channels");
  EXPECT_EQ(reason("conv2d ic512 ih7 iw7 oc512 kh3 kw3 pt1 pl1 pb1 pr1"), "too few results for its weights");
  const auto wide = [](const char* line) {
    return wide_winograd_supports(parse_problem<Conv2dProblem>(line));
  };
  EXPECT_EQ(wide("conv2d ic16 ih56 iw56 oc64 kh3 kw3").reason, "at most 16 input channels");
  EXPECT_FALSE(wide("conv2d ic16 ih56 iw56 oc64 kh3 kw3").is_legal);
  EXPECT_EQ(wide("conv2d ic32 ih56 iw56 oc96 kh3 kw3").reason, "not whole panels of 64 channels");
  EXPECT_FALSE(wide("conv2d ic1024 ih56 iw56 oc1024 kh3 kw3").reason.empty()) << "more than any L2";
}

}  // namespace
}  // namespace octavo
