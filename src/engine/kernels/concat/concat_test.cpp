#include "engine/kernels/concat/table.h"
#include "engine/kernels/testing/random_problem.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::random_quantization;
using testing::refusal;
using testing::StepSpec;

StepSpec spec_of(const ConcatProblem& p, Random& random) {
  const bool stored = p.dtype == DType::u8 || p.dtype == DType::s8;
  const auto quantization = [&] { return stored ? random_quantization(p.dtype, random) : Quantization{}; };
  StepSpec spec;
  std::int64_t width = 0;
  for (std::int64_t w : p.widths) {
    spec.inputs.push_back(growing_operand(p.dtype, p.outer * w, quantization()));
    width += w;
  }
  spec.output = growing_operand(p.dtype, p.outer * width, spec.inputs.front().quantization);
  return spec;
}

TEST(Concat, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<ConcatProblem>(concat_kernels(), spec_of);
}

TEST(Concat, RowsEqualTheReferenceOnRandomProblems) {
  const auto make = [](testing::Draw& draw) {
    ConcatProblem p;
    p.dtype = draw.of({DType::u8, DType::s8, DType::f32, DType::s64});
    p.outer = draw.between(1, 20);
    for (std::int64_t i = draw.between(1, 6); i > 0; --i) p.widths.push_back(draw.channels(150));
    p.arithmetic = draw.of({Arithmetic::fbgemm, Arithmetic::ort});
    return p;
  };
  testing::expect_random_problems_conform<ConcatProblem>(concat_kernels(), 60, make, spec_of);
}

TEST(Concat, RequantizesOnlyWhatDiffers) {
  const auto one = Quantization::per_tensor(1.0F, 0), half = Quantization::per_tensor(0.5F, 10);
  const Operands operands{{{DType::u8, &one, {}}, {DType::u8, &half, {}}}, {DType::u8, &one, {}}, {}};
  const auto y = testing::reference_result<std::uint8_t>(concat_kernels(), "concat outer2 widths=1,2",
                                                         operands, 6, std::vector<std::uint8_t>{3, 4},
                                                         std::vector<std::uint8_t>{12, 14, 0, 255});
  EXPECT_EQ(y, (std::vector<std::uint8_t>{3, 1, 2, 4, 0, 122}));
}

TEST(Concat, RefusesWhatDoesNotFit) {
  EXPECT_NE(refusal<ConcatProblem>("concat"), "");
  EXPECT_NE(refusal<ConcatProblem>("concat widths=1,-1"), "");
  EXPECT_NE(refusal<ConcatProblem>("concat outer1000000000 widths=1000000000"), "");
  const auto problem = parse_problem<ConcatProblem>("concat widths=1,2");
  EXPECT_EQ(testing::refusal_of([&] { concat_kernels().back().prepare(problem, {}); }),
            "concat: 0 operands for 2 widths");
}

}  // namespace
}  // namespace octavo
