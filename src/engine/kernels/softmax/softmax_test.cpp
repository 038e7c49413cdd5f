#include <cmath>

#include "engine/kernels/softmax/table.h"
#include "engine/kernels/testing/conformance.h"

namespace octavo {
namespace {

using testing::growing_operand;
using testing::Random;
using testing::refusal;
using testing::StepSpec;

StepSpec spec_of(const SoftmaxProblem& p, Random&) {
  const std::int64_t count = p.outer * p.count * p.inner;
  return {{growing_operand(DType::f32, count)}, growing_operand(DType::f32, count), {}};
}

TEST(Softmax, RowsEqualTheReference) {
  testing::expect_problem_file_conforms<SoftmaxProblem>(softmax_kernels(), spec_of);
}

TEST(Softmax, LargeValuesDoNotOverflow) {
  const std::vector<float> x{1000, 1000 + std::log(3.0F)};
  const auto y = testing::reference_result<float>(softmax_kernels(), "softmax count2", {}, 2, x);
  EXPECT_NEAR(y[0], 0.25, 1e-4);
  EXPECT_NEAR(y[1], 0.75, 1e-4);
  const auto logs = testing::reference_result<float>(softmax_kernels(), "softmax count2 log1", {}, 2, x);
  EXPECT_NEAR(logs[0], std::log(0.25), 1e-3);
}

TEST(Softmax, RefusesSizesThatMakeNoSense) {
  EXPECT_NE(refusal<SoftmaxProblem>("softmax count-1"), "");
  EXPECT_NE(refusal<SoftmaxProblem>("softmax log2"), "");
}

}  // namespace
}  // namespace octavo
