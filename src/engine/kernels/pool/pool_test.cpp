#include "engine/kernels/pool/table.h"
#include "engine/kernels/testing/random_problem.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::random_quantization;
using testing::refusal;
using testing::StepSpec;

StepSpec spec_of(const PoolProblem& p, Random& random) {
  const std::int64_t x = p.n * p.ih * p.iw * p.c, y = p.n * p.oh * p.ow * p.c;
  if (p.x == DType::f32) return {{growing_operand(p.x, x)}, growing_operand(p.y, y), {}};
  const Quantization quantization = random_quantization(p.x, random);
  const bool another = p.kind != PoolKind::max && random() % 2 == 0;
  return {{growing_operand(p.x, x, quantization)},
          growing_operand(p.y, y, another ? random_quantization(p.y, random) : quantization),
          {}};
}

Operands quantized(const Quantization& x, const Quantization& y) {
  return {{{DType::u8, &x, {}}}, {DType::u8, &y, {}}, {}};
}

TEST(Pool, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<PoolProblem>(pool_kernels(), spec_of);
}

PoolProblem random_pool(testing::Draw& draw) {
  PoolProblem p;
  p.kind = draw.of({PoolKind::max, PoolKind::average, PoolKind::adaptive_average});
  p.x = p.y = draw.of({DType::u8, DType::u8, DType::s8, DType::f32});
  p.n = draw.of<std::int64_t>({1, 1, 2}), p.c = draw.channels(150);
  p.ih = draw.between(1, 12), p.iw = draw.between(1, 12);
  p.oh = draw.between(1, 7), p.ow = draw.between(1, 7);
  p.kh = draw.between(1, 4), p.kw = draw.between(1, 4), p.sh = draw.between(1, 3), p.sw = draw.between(1, 3);
  p.pt = draw.between(0, 2), p.pl = draw.between(0, 2), p.pb = draw.between(0, 2), p.pr = draw.between(0, 2);
  if (draw.one_in(4)) p.dh = draw.between(1, 3), p.dw = draw.between(1, 3);
  p.count_include_pad = draw.between(0, 1);
  p.rounding = draw.of({AverageRounding::channels_last, AverageRounding::contiguous, AverageRounding::ort});
  return p;
}

TEST(Pool, RowsEqualTheReferenceOnRandomProblems) {
  testing::expect_random_problems_conform<PoolProblem>(pool_kernels(), 150, random_pool, spec_of);
}

TEST(Pool, EveryVectorRowIsReached) {
  const auto compared = testing::expect_rows_equal_the_reference<PoolProblem>(
      pool_kernels(), parse_problem<PoolProblem>("pool c8 ih2 iw2 oh1 ow1 kh2 kw2"), spec_of);
  if (testing::runs_here(Isa::avx2)) {
    EXPECT_NE(std::find(compared.begin(), compared.end(), "window_avx2"), compared.end());
  }
}

TEST(Pool, PaddingNeverWinsAMaximum) {
  const std::vector<std::uint8_t> x{1, 2, 3, 4};
  const auto y = testing::reference_result<std::uint8_t>(
      pool_kernels(), "pool c1 ih2 iw2 oh2 ow2 kh2 kw2 pt1 pl1 sh2 sw2", {}, 4, x);
  EXPECT_EQ(y, (std::vector<std::uint8_t>{1, 2, 3, 4}));
}

TEST(Pool, AnAverageCountsPaddingOnlyWhenTold) {
  const auto q = Quantization::per_tensor(1.0F, 10);
  const std::vector<std::uint8_t> x{18};  // real 8, zero point 10
  const std::string window = "pool kind=average c1 ih1 iw1 oh1 ow1 kh2 kw2 pt1 pl1";
  EXPECT_EQ(testing::reference_result<std::uint8_t>(pool_kernels(), window, quantized(q, q), 1, x).front(),
            18);
  EXPECT_EQ(testing::reference_result<std::uint8_t>(pool_kernels(), window + " count_include_pad1",
                                                    quantized(q, q), 1, x)
                .front(),
            12);
}

TEST(Pool, AnAverageMayChangeItsScale) {
  const auto from = Quantization::per_tensor(0.5F, 0), to = Quantization::per_tensor(0.25F, 3);
  const std::vector<std::uint8_t> x{4, 6};
  const auto y = testing::reference_result<std::uint8_t>(
      pool_kernels(), "pool kind=adaptive_average c1 ih1 iw2 oh1 ow1", quantized(from, to), 1, x);
  EXPECT_EQ(y.front(), 13);  // (4 + 6) / 2 * 0.5 / 0.25 + 3
}

TEST(Pool, AnAverageNeedsAQuantization) {
  const auto problem = parse_problem<PoolProblem>("pool kind=adaptive_average c1 ih1 iw2 oh1 ow1");
  const Operands plain{{{DType::u8, nullptr, {}}}, {DType::u8, nullptr, {}}, {}};
  EXPECT_EQ(testing::refusal_of([&] { pool_kernels().back().prepare(problem, plain); }),
            "pool: a u8 operand needs one scale and one zero point");
}

TEST(Pool, RefusesSizesThatMakeNoSense) {
  EXPECT_NE(refusal<PoolProblem>("pool c0 ih1 iw1 oh1 ow1"), "");
  EXPECT_NE(refusal<PoolProblem>("pool c1 ih1 iw1 oh1 ow1 sh0"), "");
  EXPECT_NE(refusal<PoolProblem>("pool c1 ih1 iw1 oh1 ow1 count_include_pad2"), "");
  EXPECT_NE(
      refusal<PoolProblem>("pool n1000000 c1000000 ih1000000 iw1000000 oh1 ow1").find("x has more than"),
      std::string::npos);
}

}  // namespace
}  // namespace octavo
