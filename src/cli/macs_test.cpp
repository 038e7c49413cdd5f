#include "cli/macs.h"

#include <gtest/gtest.h>

#include "cli/demo_resnet50.h"
#include "package/package.h"

namespace octavo::cli {
namespace {

TEST(MacsPerImage, OfResNet50AreThoseOfTheLiterature) {
  EXPECT_EQ(macs_per_image(compile_synthetic_resnet50().data().plan), 4'089'184'256);
}

TEST(MacsPerImage, CountTheInputsOfOneGroupOnly) {
  Plan plan;
  plan.tensors.resize(3);
  plan.tensors[0].shape = {Dim::batch(), {8}, {5}, {5}};
  plan.tensors[1].shape = {{16}, {4}, {3}, {3}};
  plan.tensors[2].shape = {Dim::batch(), {16}, {5}, {5}};
  plan.steps.push_back({"conv2d ic8 oc16 groups2", "", {0, 1}, 2, {}, ""});
  plan.steps.push_back({"pool c16", "", {2}, 2, {}, ""});
  EXPECT_EQ(macs_per_image(plan), 16 * 5 * 5 * 4 * 3 * 3);
}

}  // namespace
}  // namespace octavo::cli
