#include "engine/kernels/reduce/table.h"
#include "engine/kernels/testing/conformance.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::random_quantization;
using testing::refusal;
using testing::StepSpec;

StepSpec spec_of(const ReduceProblem& p, Random& random) {
  const Quantization quantization = p.x == DType::u8 ? random_quantization(p.x, random) : Quantization{};
  return {{growing_operand(p.x, p.outer * p.count * p.inner, quantization)},
          growing_operand(p.y, p.outer * p.inner, quantization),
          {}};
}

TEST(Reduce, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<ReduceProblem>(reduce_kernels(), spec_of);
}

TEST(Reduce, TakesTheMiddleExtent) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  const auto of = [&](const std::string& kind) {
    return testing::reference_result<float>(reduce_kernels(), "reduce count3 inner2 kind=" + kind, {}, 2, x);
  };
  EXPECT_EQ(of("mean"), (std::vector<float>{3, 4}));
  EXPECT_EQ(of("sum"), (std::vector<float>{9, 12}));
  EXPECT_EQ(of("maximum"), (std::vector<float>{5, 6}));
  EXPECT_EQ(of("minimum"), (std::vector<float>{1, 2}));
}

TEST(Reduce, RefusesWhatMakesNoSense) {
  EXPECT_NE(refusal<ReduceProblem>("reduce outer-1"), "");
  EXPECT_NE(refusal<ReduceProblem>("reduce rounding3"), "");
  EXPECT_NE(refusal<ReduceProblem>("reduce outer1000000000 count0 inner1000000000"), "");
  EXPECT_FALSE(reduce_kernels().back().supports(parse_problem<ReduceProblem>("reduce kind=sum x=u8 y=u8")));
  EXPECT_FALSE(reduce_kernels().back().supports(parse_problem<ReduceProblem>("reduce x=s64 y=s64")));
}

}  // namespace
}  // namespace octavo
