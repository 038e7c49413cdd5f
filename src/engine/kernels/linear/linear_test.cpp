#include <gtest/gtest.h>

#include "engine/kernels/conv2d/testing/evex_isa.h"
#include "engine/kernels/linear/table.h"
#include "engine/kernels/testing/problem_file.h"
#include "engine/kernels/testing/random_problem.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using namespace octavo::testing;

StepSpec linear_spec(const LinearProblem& p, int seed, Random& random) {
  const OperandKind kind = operand_kind(seed);
  const bool quantized = p.x != DType::f32;
  StepSpec spec;
  spec.inputs.push_back(values_of_kind(p.x, p.m * p.ic, kind));
  spec.inputs.push_back(weights_of_kind(p.w, {p.oc, p.ic}, kind, random));
  if (p.bias != Bias::none) spec.inputs.push_back(bias_operand(p.bias, p.oc));
  spec.output = growing_operand(p.y, p.m * p.oc);
  if (quantized) spec.inputs[0].quantization = quantization_of_kind(p.x, kind, 0.02F, random);
  if (p.y != DType::f32) {
    const float spread = 0.012F * std::sqrt(static_cast<float>(p.ic));
    spec.output.quantization = quantization_of_kind(p.y, kind, spread, random);
  }
  spec.parameters["lo"] = p.y != DType::f32 ? 20 : -0.25;
  spec.parameters["hi"] = p.y != DType::f32 ? 101 : 0.5;
  return spec;
}

/// The table, and what `avx_vnni` computes, proven on CPUs without AVX-VNNI too.
std::span<const KernelRow<LinearProblem>> table_and_evex() {
  static const std::vector<KernelRow<LinearProblem>> kRows = with_row<LinearProblem>(
      {"avx_vnni@evex", Isa::avx512_vnni,
       [](const LinearProblem& p) noexcept { return direct_support(linear::as_convolution(p)); },
       [](const LinearProblem& p, const Operands& operands) {
         return prepare_direct(evex_isa(), linear::as_convolution(p), operands);
       }},
      linear_kernels());
  return kRows;
}

TEST(LinearRows, EqualTheReferenceOnEveryProblemOfTheFile) {
  const ProblemFile file = read_problem_file("linear");
  std::set<std::string> compared;
  for (const std::string& line : file.problems) {
    const double bound = line.find("x=f32") != std::string::npos ? file.float_bound : 0.0;
    compared.merge(expect_line_conforms<LinearProblem>(table_and_evex(), line, bound, 6, linear_spec));
  }
  expect_all_rows_compared<LinearProblem>(table_and_evex(), compared);
}

TEST(LinearRows, SlowEqualTheReferenceOnEveryBenchmark) {
  expect_benchmarks_conform<LinearProblem>(table_and_evex(), {.seed = 6}, linear_spec);
}

LinearProblem random_linear(Draw& draw) {
  LinearProblem p;
  if (draw.one_in(8)) {
    p.x = p.w = p.y = DType::f32;
  } else {
    p.x = draw.of({DType::u8, DType::u8, DType::s8}), p.w = draw.of({DType::s8, DType::s8, DType::u8});
    p.y = draw.of({DType::u8, DType::s8, DType::f32});
  }
  p.m = draw.of<std::int64_t>({1, draw.between(1, 40)});
  p.ic = draw.channels(600), p.oc = draw.channels(300);
  p.bias = draw.of({Bias::none, Bias::f32, Bias::s32});
  p.arithmetic = draw.of({Arithmetic::fbgemm, Arithmetic::ort});
  p.activation = draw.of({Activation::none, Activation::relu, Activation::clamp});
  return p;
}

TEST(LinearRows, EqualTheReferenceOnRandomProblems) {
  const double float_bound = read_problem_file("linear").float_bound;
  std::set<std::string> compared;
  for_random_problems<LinearProblem>(
      200, random_linear, [](const LinearProblem& p) { return p.macs() <= 500'000; },
      [&](const std::string& line, int seed) {
        const double bound = line.find("x=f32") != std::string::npos ? float_bound : 0.0;
        expect_seed_conforms<LinearProblem>(table_and_evex(), line, {seed, seed % 3 + 1, bound, {}},
                                            linear_spec, compared);
      });
  expect_all_rows_compared<LinearProblem>(table_and_evex(), compared);
}

TEST(LinearReference, GivesRealsByHand) {
  const auto p = parse_problem<LinearProblem>("linear y=f32 ic2 oc2 bias=f32");
  const Quantization xq = Quantization::per_tensor(0.5F, 3), wq{{0.25F, 2.0F}, {0, 1}, 0};
  Operands operands;
  operands.inputs = {{DType::u8, &xq, {}}, {DType::s8, &wq, {}}, {}};
  const auto prepared = linear_kernels().back().prepare(p, operands);
  const std::uint8_t x[] = {5, 2};
  const std::int8_t w[] = {3, -4, 3, -4};
  const float bias[] = {1.0F, -2.0F};
  float y[2] = {};
  const std::byte* inputs[] = {reinterpret_cast<const std::byte*>(x), reinterpret_cast<const std::byte*>(w),
                               reinterpret_cast<const std::byte*>(bias)};
  prepared->run({inputs, reinterpret_cast<std::byte*>(y), nullptr, 1}, {0, 1});
  EXPECT_EQ(y[0], (2 * 3 + -1 * -4) * 0.125F + 1.0F);
  EXPECT_EQ(y[1], (2 * 2 + -1 * -5) * 1.0F - 2.0F);
}

TEST(LinearProblem, RefusesWhatMakesNoSense) {
  for (const char* line :
       {"linear", "linear ic1", "linear ic0 oc1", "linear m0 ic1 oc1", "linear x=f32 ic1 oc1",
        "linear y=s32 ic1 oc1", "linear x=f32 w=f32 y=f32 bias=s32 ic1 oc1",
        "linear ic2000000000 oc2000000000", "linear m2000000000 ic2000000000 oc1",
        "linear m2000000000 ic1 oc2000000000", "linear ic9000000000 oc1"}) {
    EXPECT_THROW(parse_problem<LinearProblem>(line), Error) << line;
  }
}

}  // namespace
}  // namespace octavo
