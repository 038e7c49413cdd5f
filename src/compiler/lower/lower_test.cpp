#include "compiler/lower/lower.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/testing.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Plan plan_of(std::string_view graph) { return lower(parse_graph(graph)).first; }

/// The family of each step, in order.
std::vector<std::string> families(const Plan& plan) {
  std::vector<std::string> names;
  for (const Step& step : plan.steps) names.push_back(step.problem.substr(0, step.problem.find(' ')));
  return names;
}

std::string error_of(std::string_view graph) {
  return testing::error_of(ErrorCode::unsupported, [&] { plan_of(graph); });
}

TEST(Lower, MovesChannelsOnceOnTheWayInAndOnceOnTheWayOut) {
  const Plan plan = plan_of(R"(graph(x: f32[N,3,8,8]) {
    a = conv2d(x, v: f32[4,3,3,3]) pad=(1,1,1,1)
    b = conv2d(a, w: f32[4,4,1,1])
    c = conv2d(x, u: f32[4,3,1,1])
    y = add(b, c)
    return y
  })");
  EXPECT_THAT(families(plan), ElementsAre("copy", "conv2d", "conv2d", "conv2d", "binary", "copy"));
}

TEST(Lower, MovesNothingWhereBothLayoutsAreTheSameBytes) {
  const Plan plan = plan_of(R"(graph(x: f32[N,1,8,8]) {
    y = conv2d(x, w: f32[4,1,8,8])
    return y
  })");
  EXPECT_THAT(families(plan), ElementsAre("conv2d"));
}

TEST(Lower, TurnsAReshapeIntoAView) {
  const Plan plan = plan_of(R"(graph(x: f32[N,4]) {
    a = relu(x)
    b = reshape(a) shape=[N,2,2]
    y = exp(b)
    return y
  })");
  EXPECT_THAT(families(plan), ElementsAre("unary", "unary"));
  const PlanTensor& view = plan.tensors[static_cast<std::size_t>(plan.steps[1].inputs[0])];
  const PlanTensor& whole = plan.tensors[static_cast<std::size_t>(plan.steps[0].output)];
  EXPECT_EQ(view.offset, whole.offset);
  EXPECT_EQ(view.shape.size(), 3U);
}

TEST(Lower, CopiesWhatTheCallerOwnsAlready) {
  const Plan plan = plan_of(R"(graph(x: f32[N,4]) {
    y = relu(x)
    return y, again=y, same=x
  })");
  EXPECT_THAT(families(plan), ElementsAre("unary", "copy", "copy"));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(plan.tensors[static_cast<std::size_t>(plan.outputs[i].tensor)].storage, Storage::output);
  }
}

TEST(Lower, MultipliesAMatrixForEachImageByOneMatrixAsOneHigherMatrix) {
  const Plan plan = plan_of("graph(a: f32[N,3,4]) { y = matmul(a, b: f32[4,5])\n return y }");
  EXPECT_THAT(plan.steps[0].problem, HasSubstr("grows=rows"));
}

TEST(Lower, MultipliesMatricesOfEachImageByThoseOfTheSameImage) {
  const Plan plan = plan_of("graph(a: f32[N,3,4], b: f32[N,4,5]) { y = matmul(a, b)\n return y }");
  EXPECT_THAT(plan.steps[0].problem, HasSubstr("grows=batches"));
}

TEST(Lower, NamesTheNodeThatNoKernelCanExpress) {
  EXPECT_THAT(error_of(R"(graph(x: f32[N,3,8,8]) {
    y = batchnorm(x, gamma: f32[3], beta: f32[3], mean: f32[3], var: f32[3])
    return y
  })"),
              StartsWith("batchnorm 'y': operator batchnorm has no kernels"));
  EXPECT_THAT(error_of("graph(x: f32[N,3], y: f32[N,3]) { z = cat(x, y) axis=0\n return z }"),
              HasSubstr("joining along the batch"));
  EXPECT_THAT(error_of("graph(x: f32[N,3]) { y = transpose(x) perm=(1,0)\n return y }"),
              HasSubstr("the batch must stay the first extent"));
  EXPECT_THAT(error_of("graph(a: f32[4,5], b: f32[N,5,3]) { y = matmul(a, b)\n return y }"),
              HasSubstr("matrix product of [4,5] and [N,5,3]"));
  EXPECT_THAT(error_of("graph(a: f32[2,1,4,5], b: f32[1,3,5,4]) { y = matmul(a, b)\n return y }"),
              HasSubstr("matrix product"));
}

}  // namespace
}  // namespace octavo
