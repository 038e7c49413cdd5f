#include <cmath>
#include <limits>
#include <random>

#include "engine/kernels/convert/table.h"
#include "engine/kernels/quantized_math.h"
#include "engine/kernels/testing/random_problem.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::random_quantization;
using testing::refusal;
using testing::StepSpec;

StepSpec convert_spec(const ConvertProblem& p, Random& random) {
  const std::int64_t count = p.n * p.c * p.s;
  StepSpec spec{{growing_operand(p.x, count)}, growing_operand(p.y, count), {}};
  if (p.kind == ConvertKind::cast) return spec;
  if (p.kind != ConvertKind::quantize) spec.inputs[0].quantization = random_quantization(p.x, random);
  if (p.kind != ConvertKind::dequantize) spec.output.quantization = random_quantization(p.y, random);
  return spec;
}

StepSpec dynamic_spec(const DynamicQuantizeProblem& p, Random&) {
  if (p.result == DynamicResult::values)
    return {{growing_operand(DType::f32, p.count)}, growing_operand(DType::u8, p.count), {}};
  StepSpec spec{{growing_operand(DType::f32, p.count)}, growing_operand(DType::f32, 1), {}};
  if (p.result == DynamicResult::zero_point) spec.output.dtype = DType::u8;
  spec.output.batch_stride = 0;
  return spec;
}

TEST(Convert, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<ConvertProblem>(convert_kernels(), convert_spec);
}
TEST(Convert, RowsEqualTheReferenceOnRandomProblems) {
  const auto make = [](testing::Draw& draw) {
    ConvertProblem p;
    const DType stored = draw.of({DType::u8, DType::s8});
    p.kind = draw.of({ConvertKind::quantize, ConvertKind::dequantize, ConvertKind::requantize});
    p.x = p.kind == ConvertKind::quantize ? DType::f32 : stored;
    p.y = p.kind == ConvertKind::quantize     ? stored
          : p.kind == ConvertKind::dequantize ? DType::f32
                                              : draw.of({DType::u8, DType::s8});
    p.n = draw.between(1, 2), p.c = draw.of<std::int64_t>({1, 3, draw.between(1, 9)});
    p.s = draw.channels(400);
    if (draw.one_in(2)) (draw.one_in(2) ? p.channels_last : p.channels_first) = 1;
    p.arithmetic = draw.of({Arithmetic::fbgemm, Arithmetic::ort});
    return p;
  };
  testing::expect_random_problems_conform<ConvertProblem>(convert_kernels(), 100, make, convert_spec);
}
TEST(DynamicQuantize, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<DynamicQuantizeProblem>(dynamic_quantize_kernels(), dynamic_spec);
}

TEST(Convert, ValuesFarOutAndNaNAreClampedByEveryRow) {
  const auto q = Quantization::per_tensor(0.1F, 100);
  const Operands operands{{{DType::f32, nullptr, {}}}, {DType::u8, &q, {}}, {}};
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{NAN, kInf, -kInf, 1e30F, -1e30F, 0.25F, 0.35F};
  const std::vector<const std::byte*> inputs{reinterpret_cast<const std::byte*>(x.data())};
  for (const char* line : {"convert s7", "convert s7 arithmetic=ort"}) {
    const auto problem = parse_problem<ConvertProblem>(line);
    for (const auto& row : convert_kernels()) {
      if (!testing::runs_here(row.needs) || !row.supports(problem)) continue;
      std::vector<std::uint8_t> y(7);
      row.prepare(problem, operands)
          ->run({inputs, reinterpret_cast<std::byte*>(y.data()), nullptr, 1}, Share{});
      EXPECT_EQ(y, (std::vector<std::uint8_t>{0, 255, 0, 255, 0, 102, 104})) << row.name << ", " << line;
    }
  }
}

/// Reals that lie beside the middle between two results, where one unit in the last place decides.
std::vector<float> beside_ties(float scale, std::int32_t zero_point) {
  std::vector<float> x;
  for (std::int32_t q = -1; q <= 256; ++q) {
    const auto tie =
        static_cast<float>((static_cast<double>(q - zero_point) + 0.5) * static_cast<double>(scale));
    float below = tie, above = tie;
    x.push_back(tie);
    for (int i = 0; i < 4; ++i) {
      x.push_back(below = std::nextafter(below, -INFINITY));
      x.push_back(above = std::nextafter(above, INFINITY));
    }
  }
  return x;
}

TEST(Convert, QuotientsAreRoundedAsDivisionRoundsThem) {
  std::mt19937 random(20);
  std::uniform_real_distribution<float> exponent(-60, 60), mantissa(1, 2);
  for (int i = 0; i < 300; ++i) {
    const float scale =
        std::ldexp(mantissa(random), static_cast<int>(i < 20 ? 2 * exponent(random) : exponent(random)));
    const auto zero_point = static_cast<std::int32_t>(random() % 256);
    const auto q = Quantization::per_tensor(scale, zero_point);
    const Operands operands{{{DType::f32, nullptr, {}}}, {DType::u8, &q, {}}, {}};
    const std::vector<float> x = beside_ties(scale, zero_point);
    const std::vector<const std::byte*> inputs{reinterpret_cast<const std::byte*>(x.data())};
    const auto problem =
        parse_problem<ConvertProblem>("convert s" + std::to_string(x.size()) + " arithmetic=ort");
    std::vector<std::uint8_t> expected(x.size());
    for (std::size_t k = 0; k < x.size(); ++k) {
      expected[k] = static_cast<std::uint8_t>(quantize_value_ort(x[k], scale, zero_point, StoredRange{}));
    }
    for (const auto& row : convert_kernels()) {
      if (!testing::runs_here(row.needs) || !row.supports(problem)) continue;
      std::vector<std::uint8_t> y(x.size());
      row.prepare(problem, operands)
          ->run({inputs, reinterpret_cast<std::byte*>(y.data()), nullptr, 1}, Share{});
      ASSERT_EQ(y, expected) << row.name << ", scale " << scale << ", zero point " << zero_point;
    }
  }
}

TEST(Convert, PlanesBecomePixels) {
  const auto q = Quantization::per_tensor(1.0F, 0);
  const Operands operands{{{DType::f32, nullptr, {}}}, {DType::u8, &q, {}}, {}};
  EXPECT_EQ(testing::reference_result<std::uint8_t>(convert_kernels(), "convert c3 s2 channels_last1",
                                                    operands, 6, std::vector<float>{1, 2, 3, 4, 5, 6}),
            (std::vector<std::uint8_t>{1, 3, 5, 2, 4, 6}));
}

TEST(Convert, EveryRowKnowsAQuantizationPerChannelOrRefusesIt) {
  const Quantization q{{1.0F, 0.5F}, {0, 2}, 0}, one = Quantization::per_tensor(1, 0);
  const auto spec_between = [&](DType x, DType y, const Quantization& of_x, const Quantization& of_y) {
    StepSpec spec{{growing_operand(x, 38, of_x)}, growing_operand(y, 38, of_y), {}};
    if (x == DType::f32) spec.inputs[0].lowest = -9, spec.inputs[0].highest = 200;
    return spec;
  };
  const auto expect_known = [](const char* line, const StepSpec& spec, const std::string& refusal) {
    const auto problem = parse_problem<ConvertProblem>(line);
    Random random(1);
    const testing::RandomStep step(spec, 3, random);
    const auto expected = step.run(*convert_kernels().back().prepare(problem, step.operands()), 1);
    for (const auto& row : convert_kernels()) {
      if (!testing::runs_here(row.needs) || !row.supports(problem)) continue;
      std::vector<std::byte> got;
      const std::string said =
          testing::refusal_of([&] { got = step.run(*row.prepare(problem, step.operands()), 4); });
      EXPECT_TRUE(said.empty() ? got == expected : said == refusal) << row.name << ": " << said;
      EXPECT_EQ(said.empty(), refusal.empty() || row.name == "reference") << row.name;
    }
  };
  expect_known("convert kind=dequantize x=u8 y=f32 c2 s19", spec_between(DType::u8, DType::f32, q, {}), "");
  expect_known("convert kind=quantize x=f32 y=u8 c2 s19", spec_between(DType::f32, DType::u8, {}, q), "");
  expect_known("convert kind=requantize x=u8 y=u8 c2 s19", spec_between(DType::u8, DType::u8, q, one),
               "a quantization per channel");
  const Quantization three{{1, 0.5F, 2}, {0, 2, 0}, 0};
  StepSpec pixels{{growing_operand(DType::f32, 30)}, growing_operand(DType::u8, 30, three), {}};
  expect_known("convert kind=quantize x=f32 y=u8 c3 s10 channels_last1", pixels,
               "a quantization per channel into another layout");
}

TEST(Convert, NoChannelsAreNoQuantizationOfAll) {
  const Quantization none{{}, {}, 0}, one = Quantization::per_tensor(1, 0);
  const Operands operands{{{DType::u8, &none, {}}}, {DType::u8, &one, {}}, {}};
  const auto problem = parse_problem<ConvertProblem>("convert kind=requantize x=u8 y=u8 c0 s5");
  for (const auto& row : convert_kernels()) {
    if (row.name == "reference" || !row.supports(problem)) continue;
    EXPECT_EQ(testing::refusal_of([&] { row.prepare(problem, operands); }), "a quantization per channel")
        << row.name;
  }
}

TEST(Convert, ScalesMustBeOnePerChannel) {
  const Quantization q{{1.0F, 0.5F, 2.0F}, {0, 2, 0}, 0};
  const Operands operands{{{DType::u8, &q, {}}}, {DType::f32, nullptr, {}}, {}};
  const auto problem = parse_problem<ConvertProblem>("convert kind=dequantize x=u8 y=f32 c2 s2");
  EXPECT_EQ(testing::refusal_of([&] { convert_kernels().front().prepare(problem, operands); }),
            "convert: 3 scales and 3 zero points for 2 channels");
}

TEST(Convert, CastsTruncateAndStayInRange) {
  EXPECT_EQ(testing::reference_result<std::int32_t>(convert_kernels(), "convert kind=cast y=s32 s6", {}, 6,
                                                    std::vector<float>{1.9F, -1.9F, 3e9F, -3e9F, NAN, 0}),
            (std::vector<std::int32_t>{1, -1, INT32_MAX, INT32_MIN, 0, 0}));
  EXPECT_EQ(testing::reference_result<std::uint8_t>(convert_kernels(), "convert kind=cast y=bool s3", {}, 3,
                                                    std::vector<float>{0.5F, 0, -2}),
            (std::vector<std::uint8_t>{1, 0, 1}));
}

TEST(DynamicQuantize, TheRangeAlwaysHoldsZero) {
  const std::vector<float> x{255, 510};
  const auto of = [&](auto zero, const std::string& result, std::size_t count) {
    return testing::reference_result<decltype(zero)>(
        dynamic_quantize_kernels(), "dynamic_quantize count2 result=" + result, {}, count, x);
  };
  EXPECT_EQ(of(0.0F, "scale", 1).front(), 2);
  EXPECT_EQ(of(std::uint8_t{}, "zero_point", 1).front(), 0);
  EXPECT_EQ(of(std::uint8_t{}, "values", 2), (std::vector<std::uint8_t>{128, 255}));
}

TEST(Convert, RefusesSizesThatMakeNoSense) {
  EXPECT_NE(refusal<ConvertProblem>("convert n-1"), "");
  EXPECT_NE(refusal<ConvertProblem>("convert n10000000 c10000000 s10000000"), "");
  EXPECT_NE(refusal<ConvertProblem>("convert channels_last1 channels_first1"), "");
  EXPECT_NE(refusal<DynamicQuantizeProblem>("dynamic_quantize count-1"), "");
}

}  // namespace
}  // namespace octavo
