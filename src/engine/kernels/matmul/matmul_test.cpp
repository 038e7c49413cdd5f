#include <gtest/gtest.h>

#include "engine/kernels/matmul/table.h"
#include "engine/kernels/testing/problem_file.h"
#include "engine/kernels/testing/random_problem.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using namespace octavo::testing;

/// `elements` per matrix of an operand that grows with the batch if `grows`.
OperandSpec matrices(DType dtype, std::int64_t elements, bool grows, OperandKind kind, float scale,
                     Random& random) {
  OperandSpec spec = values_of_kind(dtype, elements, kind);
  if (!grows) spec.batch_stride = 0;
  if (dtype == DType::u8 || dtype == DType::s8) {
    spec.quantization = quantization_of_kind(dtype, kind, scale, random);
  }
  return spec;
}

StepSpec matmul_spec(const MatmulProblem& p, int seed, Random& random) {
  const OperandKind kind = operand_kind(seed);
  const bool rows = p.grows == MatmulGrows::rows;
  const bool batches = p.grows == MatmulGrows::batches;
  const bool plain = p.y == DType::s32;
  StepSpec spec;
  spec.inputs.push_back(matrices(p.a, p.a_batches * p.m * p.k, rows || (batches && p.a_batches == p.batches),
                                 kind, 0.02F, random));
  spec.inputs.push_back(
      matrices(p.b, p.b_batches * p.k * p.n, batches && p.b_batches == p.batches, kind, 0.01F, random));
  if (kind == OperandKind::w_lowest && p.b != DType::f32) {
    spec.inputs[0].lowest = spec.inputs[0].highest;
    spec.inputs[1].highest = spec.inputs[1].lowest;
  }
  if (plain) spec.inputs[0].quantization = spec.inputs[1].quantization = {};
  for (const auto& [there, dtype] : {std::pair{p.a_zero_point, p.a}, std::pair{p.b_zero_point, p.b}}) {
    if (there == 0) continue;
    spec.inputs.push_back(growing_operand(dtype, 1));
    spec.inputs.back().batch_stride = 0;
  }
  spec.output = matrices(p.y, p.batches * p.m * p.n, p.grows != MatmulGrows::nothing, kind, 0.1F, random);
  return spec;
}

TEST(MatmulRows, EqualTheReferenceOnEveryProblemOfTheFile) {
  const ProblemFile file = read_problem_file("matmul");
  std::set<std::string> compared;
  for (const std::string& line : file.problems) {
    compared.merge(
        expect_line_conforms<MatmulProblem>(matmul_kernels(), line, file.float_bound, 6, matmul_spec));
  }
  expect_all_rows_compared<MatmulProblem>(matmul_kernels(), compared);
}

MatmulProblem random_matmul(Draw& draw) {
  MatmulProblem p;
  p.m = draw.of<std::int64_t>({1, draw.between(1, 30)}), p.k = draw.channels(200), p.n = draw.channels(200);
  p.grows = draw.of({MatmulGrows::nothing, MatmulGrows::rows, MatmulGrows::batches});
  p.batches = draw.of<std::int64_t>({1, 1, draw.between(2, 5)});
  p.a_batches = draw.of({p.batches, std::int64_t{1}}), p.b_batches = draw.of({p.batches, std::int64_t{1}});
  if (draw.one_in(6)) return p;
  p.a = draw.of({DType::u8, DType::s8}), p.b = draw.of({DType::u8, DType::s8});
  p.y = draw.of({DType::u8, DType::s8, DType::s32});
  if (p.y == DType::s32) p.a_zero_point = draw.between(0, 1), p.b_zero_point = draw.between(0, 1);
  return p;
}

/// The same with a constant b of another quantization in each column.
StepSpec constant_spec(const MatmulProblem& p, int seed, Random& random) {
  StepSpec spec = matmul_spec(p, seed, random);
  OperandSpec& b = spec.inputs[1];
  if (b.batch_stride != 0) return spec;
  b.constant = true;
  b.shape = {p.b_batches, p.k, p.n};
  if (b.quantization.scales.empty()) return spec;
  b.quantization = {{}, {}, 2};
  for (std::int64_t i = 0; i < p.n; ++i) {
    const Quantization column = quantization_of_kind(p.b, operand_kind(seed), 0.01F, random);
    b.quantization.scales.push_back(column.scale() * (1 + 0.01F * static_cast<float>(i % 9)));
    b.quantization.zero_points.push_back(column.zero_point());
  }
  return spec;
}

TEST(MatmulRows, EqualTheReferenceOnRandomProblems) {
  const double bound = read_problem_file("matmul").float_bound;
  std::set<std::string> compared;
  for_random_problems<MatmulProblem>(
      300, random_matmul, [](const MatmulProblem& p) { return p.batches * p.m * p.k * p.n <= 300'000; },
      [&](const std::string& line, int seed) {
        expect_seed_conforms<MatmulProblem>(matmul_kernels(), line, {seed, seed / 12 % 3 + 1, bound, {}},
                                            seed / 6 % 2 == 0 ? matmul_spec : constant_spec, compared);
      });
  expect_all_rows_compared<MatmulProblem>(matmul_kernels(), compared);
}

template <class A, class B, class Y>
void run_reference(const std::string& line, const Operands& operands, std::span<const A> a,
                   std::span<const B> b, std::span<Y> y, std::int64_t batch,
                   std::vector<const std::byte*> more = {}) {
  const auto prepared = matmul_kernels().back().prepare(parse_problem<MatmulProblem>(line), operands);
  std::vector<const std::byte*> inputs{std::as_bytes(a).data(), std::as_bytes(b).data()};
  inputs.insert(inputs.end(), more.begin(), more.end());
  prepared->run({inputs, std::as_writable_bytes(y).data(), nullptr, batch}, {0, 1});
}

TEST(MatmulReference, MultipliesByHandAndRepeatsAnOperand) {
  Operands operands;
  operands.inputs.resize(2);
  const float a[] = {1, 2, 3, 4};
  const float b[] = {1, 10, 100, 1000};
  float y[4] = {};
  run_reference<float, float, float>("matmul batches2 a_batches2 b_batches1 m1 k2 n2", operands, a, b, y, 1);
  EXPECT_EQ(std::vector<float>(y, y + 4), (std::vector<float>{201, 2010, 403, 4030}));
}

TEST(MatmulReference, TakesZeroPointsFromOperands) {
  Operands operands;
  operands.inputs = {{DType::u8, nullptr, {}}, {DType::s8, nullptr, {}}};
  const std::uint8_t a[] = {5, 255}, a_zero[] = {4};
  const std::int8_t b[] = {-128, 2}, b_zero[] = {1};
  std::int32_t y[1] = {};
  run_reference<std::uint8_t, std::int8_t, std::int32_t>(
      "matmul a=u8 b=s8 y=s32 m1 k2 n1 a_zero_point1 b_zero_point1", operands, a, b, y, 1,
      {reinterpret_cast<const std::byte*>(a_zero), reinterpret_cast<const std::byte*>(b_zero)});
  EXPECT_EQ(y[0], 1 * -129 + 251 * 1);
}

TEST(MatmulReference, QuantizesColumnByColumn) {
  const Quantization aq = Quantization::per_tensor(1, 0), bq{{1, 0.5F}, {0, 2}, 1},
                     yq = Quantization::per_tensor(2, 1);
  Operands operands;
  operands.inputs = {{DType::u8, &aq, {}}, {DType::u8, &bq, {}}};
  operands.output = {DType::u8, &yq, {}};
  const std::uint8_t a[] = {10}, b[] = {3, 22};
  std::uint8_t y[2] = {};
  run_reference<std::uint8_t, std::uint8_t, std::uint8_t>("matmul a=u8 b=u8 y=u8 m1 k1 n2", operands, a, b, y,
                                                          1);
  EXPECT_EQ(int{y[0]}, 10 * 3 / 2 + 1);
  EXPECT_EQ(int{y[1]}, 10 * 20 / 4 + 1);
}

TEST(MatmulProblem, RefusesWhatMakesNoSense) {
  for (const char* line :
       {"matmul", "matmul m1 k1", "matmul a=u8 m1 k1 n1", "matmul a=s32 b=s32 y=s32 m1 k1 n1",
        "matmul batches3 a_batches2 b_batches3 m1 k1 n1", "matmul batches3 a_batches3 b_batches0 m1 k1 n1",
        "matmul batches2 a_batches2 b_batches2 m1 k1 n1 grows=rows", "matmul m1 k1 n1 a_zero_point1",
        "matmul a=u8 b=u8 y=s32 m1 k1 n1 a_zero_point2", "matmul a=u8 b=u8 y=u8 m1 k1 n1 b_zero_point1",
        "matmul m2000000000 k2000000000 n1", "matmul m1 k2000000000 n2000000000",
        "matmul m2000000000 k1 n2000000000"}) {
    EXPECT_THROW(parse_problem<MatmulProblem>(line), Error) << line;
  }
}

}  // namespace
}  // namespace octavo
