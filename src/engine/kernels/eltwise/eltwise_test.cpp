#include <cmath>

#include "engine/kernels/eltwise/table.h"
#include "engine/kernels/testing/random_problem.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::OperandSpec;
using testing::Random;
using testing::random_quantization;
using testing::refusal;
using testing::StepSpec;

std::int64_t product(const std::vector<std::int64_t>& extents) {
  std::int64_t size = 1;
  for (std::int64_t extent : extents) size *= extent;
  return size;
}

OperandSpec operand(DType dtype, std::int64_t elements, Random& random) {
  const bool stored = dtype == DType::u8 || dtype == DType::s8;
  return growing_operand(dtype, elements, stored ? random_quantization(dtype, random) : Quantization{});
}

OperandSpec strided(DType dtype, const BinaryProblem& p, const std::vector<std::int64_t>& strides,
                    std::int64_t batch_stride, Random& random) {
  std::int64_t elements = 1;
  for (std::size_t d = 0; d < strides.size(); ++d) elements += (p.dims[d] - 1) * strides[d];
  OperandSpec spec = operand(dtype, elements, random);
  spec.batch_stride = batch_stride;
  return spec;
}

StepSpec binary_spec(const BinaryProblem& p, Random& random) {
  StepSpec spec{{strided(p.a, p, p.a_strides, p.a_batch_stride, random),
                 strided(p.b, p, p.b_strides, p.b_batch_stride, random)},
                operand(p.y, product(p.dims), random),
                {}};
  if (p.activation == Activation::clamp) spec.parameters = {{"lo", 17}, {"hi", 99}};
  return spec;
}

StepSpec unary_spec(const UnaryProblem& p, Random& random) {
  StepSpec spec{{operand(p.x, p.count, random)}, operand(p.y, p.count, random), {}};
  if (p.kind == UnaryKind::relu || p.kind == UnaryKind::clip)
    spec.output.quantization = spec.inputs[0].quantization;
  if (p.kind == UnaryKind::clip) spec.parameters = {{"lo", 5}, {"hi", 88}};
  return spec;
}

template <class T>
std::vector<T> binary(const std::string& problem, const std::vector<T>& a, const std::vector<T>& b) {
  const std::string dims = " dims=" + std::to_string(a.size()) + " a_strides=1 b_strides=1";
  return testing::reference_result<T>(binary_kernels(), "binary " + problem + dims, {}, a.size(), a, b);
}

TEST(Binary, DenseSumsEqualTheReferenceOnRandomProblems) {
  const auto make = [](testing::Draw& draw) {
    BinaryProblem p;
    p.kind = BinaryKind::add;
    p.a = draw.of({DType::u8, DType::s8}), p.b = draw.of({DType::u8, DType::s8});
    p.y = draw.of({DType::u8, DType::s8});
    p.dims = {draw.channels(500)}, p.a_strides = p.b_strides = {1};
    p.a_batch_stride = p.b_batch_stride = p.dims.front();
    p.activation = draw.of({Activation::none, Activation::relu, Activation::clamp});
    p.arithmetic = draw.of({Arithmetic::fbgemm, Arithmetic::ort});
    return p;
  };
  testing::expect_random_problems_conform<BinaryProblem>(binary_kernels(), 80, make, binary_spec);
}

TEST(Binary, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<BinaryProblem>(binary_kernels(), binary_spec);
}
TEST(Unary, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<UnaryProblem>(unary_kernels(), unary_spec);
}

TEST(Binary, IntegersWrapAndDivisionByZeroGivesZero) {
  constexpr std::int64_t kMost = INT64_MAX, kLeast = INT64_MIN;
  using V = std::vector<std::int64_t>;
  EXPECT_EQ(binary<std::int64_t>("kind=add a=s64 b=s64 y=s64", {kMost, 2}, {1, 3}), (V{kLeast, 5}));
  EXPECT_EQ(binary<std::int64_t>("kind=div a=s64 b=s64 y=s64", {7, -7, 5, kLeast}, {2, 2, 0, -1}),
            (V{3, -3, 0, kLeast}));
  EXPECT_EQ(binary<std::int64_t>("kind=pow a=s64 b=s64 y=s64", {2, -1, 5, 0}, {10, -3, -1, 0}),
            (V{1024, -1, 0, 1}));
}

TEST(Binary, RealsKeepANaN) {
  const auto y = binary<float>("kind=maximum a=f32 b=f32 y=f32", {NAN, 1, 3}, {1, NAN, 2});
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(y[2], 3);
}

TEST(Binary, AQuantizedSumIsRequantized) {
  const auto a = Quantization::per_tensor(0.5F, 10), b = Quantization::per_tensor(0.25F, 0);
  const auto y = Quantization::per_tensor(1.0F, 1);
  const Operands operands{{{DType::u8, &a, {}}, {DType::u8, &b, {}}}, {DType::u8, &y, {}}, {}};
  const std::vector<std::uint8_t> as{14, 0}, bs{8, 4};  // 2 + 2, -5 + 1
  const std::string problem = "binary dims=2 a_strides=1 b_strides=1";
  EXPECT_EQ(testing::reference_result<std::uint8_t>(binary_kernels(), problem, operands, 2, as, bs),
            (std::vector<std::uint8_t>{5, 0}));
  EXPECT_EQ(testing::reference_result<std::uint8_t>(binary_kernels(), problem + " activation=relu", operands,
                                                    2, as, bs),
            (std::vector<std::uint8_t>{5, 1}));
}

TEST(Binary, RefusesStridesThatDoNotFit) {
  EXPECT_EQ(refusal<BinaryProblem>("binary dims=2 a_strides=1,1 b_strides=1"),
            "binary problem: 'a_strides' has 2 entries, expected 1");
  EXPECT_NE(refusal<BinaryProblem>("binary dims=2 a_strides=-1 b_strides=1"), "");
  EXPECT_NE(refusal<BinaryProblem>("binary dims=1000000 a_strides=1000000000000 b_strides=1"), "");
  EXPECT_NE(refusal<BinaryProblem>("binary dims=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1").find("17 entries"),
            std::string::npos);
}

TEST(Binary, SaysWhatTheReferenceCannotDo) {
  const auto supports = binary_kernels().back().supports;
  EXPECT_FALSE(supports(parse_problem<BinaryProblem>("binary kind=sub")));
  EXPECT_FALSE(supports(parse_problem<BinaryProblem>("binary a=f32")));
  EXPECT_FALSE(supports(parse_problem<BinaryProblem>("binary a=f16 b=f16 y=f16")));
}

TEST(Unary, ReluOfQuantizedValuesStopsAtTheZeroPoint) {
  const auto q = Quantization::per_tensor(0.1F, 7);
  const Operands operands{{{DType::u8, &q, {}}}, {DType::u8, &q, {}}, {}};
  EXPECT_EQ(testing::reference_result<std::uint8_t>(unary_kernels(), "unary kind=relu count3", operands, 3,
                                                    std::vector<std::uint8_t>{0, 7, 9}),
            (std::vector<std::uint8_t>{7, 7, 9}));
}

TEST(Unary, RealsFollowTheirFormulas) {
  const auto of = [](const std::string& kind, float x) {
    return testing::reference_result<float>(unary_kernels(), "unary x=f32 y=f32 count1 kind=" + kind, {}, 1,
                                            std::vector<float>{x})
        .front();
  };
  EXPECT_EQ(of("round", 2.5F), 2);
  EXPECT_EQ(of("hardswish", 1.0F), 4.0F / 6.0F);
  EXPECT_EQ(of("hardsigmoid", 3.0F), 1);
  EXPECT_EQ(of("leaky_relu", -1.0F), -0.01F);
  EXPECT_EQ(of("softplus", 100.0F), 100);
  EXPECT_NEAR(of("softplus", 0.0F), std::log(2.0), 1e-7);
  EXPECT_EQ(of("reciprocal", 4.0F), 0.25F);
  EXPECT_EQ(of("elu", 2.0F), 2);
}

TEST(Unary, AFunctionOfPlainBytesIsRefusedWhenItNeedsReals) {
  const auto problem = parse_problem<UnaryProblem>("unary kind=sigmoid count3");
  const Operands plain{{{DType::u8, nullptr, {}}}, {DType::u8, nullptr, {}}, {}};
  EXPECT_EQ(testing::refusal_of([&] { unary_kernels().back().prepare(problem, plain); }),
            "unary sigmoid: no such function of u8 with no quantization");
}

TEST(Unary, AScaleThatIsNoPositiveNumberIsRefused) {
  const auto problem = parse_problem<UnaryProblem>("unary kind=sigmoid count3");
  for (const float scale : {0.0F, -1.0F, NAN, INFINITY}) {
    const auto q = Quantization::per_tensor(scale, 0);
    const Operands operands{{{DType::u8, &q, {}}}, {DType::u8, &q, {}}, {}};
    EXPECT_NE(testing::refusal_of([&] { unary_kernels().back().prepare(problem, operands); }).find("scale"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace octavo
