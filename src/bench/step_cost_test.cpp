#include "bench/step_cost.h"

#include <gtest/gtest.h>

#include "octavo/error.h"

namespace octavo::bench {
namespace {

TEST(StepCost, CountsTheProductsOfAConvolution) {
  const StepCost cost = cost_of("conv2d ic8 ih5 iw5 oc16 kh3 kw3 pt1 pl1 pb1 pr1 g2", 3);
  EXPECT_EQ(cost.macs, 3 * 16 * 5 * 5 * 4 * 3 * 3) << "the channels of one group only";
  EXPECT_EQ(cost.bytes, 3 * 8 * 25 + 16 * 4 * 9 + 3 * 16 * 25)
      << "weights once, images for each of the batch";
}

TEST(StepCost, CountsTheProductsOfMatrices) {
  EXPECT_EQ(cost_of("linear m3 ic4 oc5", 2).macs, 2 * 3 * 4 * 5);
  EXPECT_EQ(cost_of("matmul m2 k3 n4 grows=rows", 7).macs, 7 * 2 * 3 * 4);
  EXPECT_EQ(cost_of("matmul m2 k3 n4", 7).macs, 2 * 3 * 4);
}

TEST(StepCost, CountsBytesWhereNothingIsMultiplied) {
  const StepCost cost = cost_of("unary kind=exp x=f32 y=f32 count7", 2);
  EXPECT_EQ(cost.macs, 0);
  EXPECT_EQ(cost.bytes, 2 * 2 * 7 * 4);
}

TEST(StepCost, RefusesAProblemThatIsNone) { EXPECT_THROW(cost_of("conv3d ic4", 1), Error); }

TEST(StepCost, AddsUpAPlan) {
  Plan plan;
  plan.steps = {{"linear ic4 oc5", "", {}, 0, {}, ""}, {"linear ic5 oc2", "", {}, 0, {}, ""}};
  EXPECT_EQ(macs_per_item(plan), 30);
}

}  // namespace
}  // namespace octavo::bench
