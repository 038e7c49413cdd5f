#include "engine/session/walk_order.h"

#include <gtest/gtest.h>

namespace octavo {
namespace {

constexpr std::int64_t kMega = std::int64_t{1024} * 1024;

/// A chain of steps t[s] -> t[s + 1], the first from the input, the last to the output, with these bytes per
/// image of each tensor and these weights of each step.
Plan chain(const std::vector<std::int64_t>& activations, const std::vector<std::int64_t>& weights) {
  Plan plan;
  for (std::size_t i = 0; i < activations.size(); ++i) {
    const bool is_last = i + 1 == activations.size();
    plan.tensors.push_back({"t",
                            DType::u8,
                            {{1, true}, {activations[i], false}},
                            Layout::plain,
                            {},
                            i == 0    ? Storage::input
                            : is_last ? Storage::output
                                      : Storage::arena,
                            i == 0 || is_last ? 0 : static_cast<std::int64_t>(i % 2) * 8 * kMega});
  }
  for (std::size_t s = 0; s < weights.size(); ++s) {
    const auto w = static_cast<std::int32_t>(plan.tensors.size());
    plan.tensors.push_back({"w",
                            DType::s8,
                            {{weights[s], false}},
                            Layout::plain,
                            {},
                            Storage::weights,
                            static_cast<std::int64_t>(s)});
    const auto from = static_cast<std::int32_t>(s);
    plan.steps.push_back({"linear", "", {from, w}, from + 1, {}, ""});
  }
  return plan;
}

/// Large activations with small weights, then the reverse.
Plan pyramid() {
  return chain({kMega, kMega, kMega, kMega / 64, kMega / 64, kMega / 64},
               {1000, 1000, 1000, 4 * kMega, 4 * kMega});
}

TEST(WalkOrder, TakesImagesOneByOneWhereActivationsAreLargeAndTogetherWhereWeightsAre) {
  const WalkOrder order = walk_order(pyramid(), 8);
  ASSERT_EQ(order.legs.size(), 2U);
  EXPECT_EQ(order.legs[0].first, 0U);
  EXPECT_EQ(order.legs[0].end, 3U);
  EXPECT_EQ(order.legs[0].images, 1);
  EXPECT_EQ(order.legs[1].end, 5U);
  EXPECT_EQ(order.legs[1].images, 8);
  ASSERT_EQ(order.kept.size(), 1U);
  EXPECT_EQ(order.kept[0].tensor, 3U);
  EXPECT_EQ(order.kept_bytes_per_image, kMega / 64);
}

TEST(WalkOrder, ChangesTheNumberOfImagesWhereLittleIsKept) {
  Plan plan = chain({kMega / 2, kMega / 2, kMega / 64, kMega / 64, kMega / 64, kMega / 64},
                    {1000, 1000, 100000, 100000, 4 * kMega});
  ASSERT_EQ(walk_order(plan, 8).legs.size(), 2U);
  EXPECT_EQ(walk_order(plan, 8).legs[1].first, 2U);
  plan.tensors[1].offset = 16 * kMega;
  plan.steps[3].inputs.push_back(1);  // so that t[1], 512 KiB, waits until then
  const WalkOrder order = walk_order(plan, 8);
  ASSERT_EQ(order.legs.size(), 2U);
  EXPECT_EQ(order.legs[1].first, 4U);
  EXPECT_EQ(order.kept_bytes_per_image, kMega / 64);
}

TEST(WalkOrder, KeepsBothATensorAndItsView) {
  Plan plan = pyramid();
  const auto view = static_cast<std::int32_t>(plan.tensors.size());
  plan.tensors.push_back(plan.tensors[3]);
  plan.steps[3].inputs[0] = view;
  const WalkOrder order = walk_order(plan, 8);
  ASSERT_EQ(order.kept.size(), 2U);
  EXPECT_EQ(order.kept[0].tensor, 3U);
  EXPECT_EQ(order.kept[1].tensor, static_cast<std::size_t>(view));
  EXPECT_EQ(order.kept[0].offset, order.kept[1].offset);
}

TEST(WalkOrder, TakesAllImagesTogetherWhereEverythingStaysNear) {
  const WalkOrder order = walk_order(chain({100, 100, 100}, {0, 0}), 7);
  ASSERT_EQ(order.legs.size(), 1U);
  EXPECT_EQ(order.legs[0].images, 7);
}

TEST(WalkOrder, IsOneLegForOneImage) {
  const WalkOrder order = walk_order(pyramid(), 1);
  ASSERT_EQ(order.legs.size(), 1U);
  EXPECT_EQ(order.legs[0].end, 5U);
  EXPECT_TRUE(order.kept.empty());
}

TEST(WalkOrder, DoesNotDivideWhatMustStayTogether) {
  Plan whole = pyramid();
  whole.whole_batch = true;
  EXPECT_EQ(walk_order(whole, 8).legs.size(), 1U);
  EXPECT_EQ(walk_order(whole, 8).legs[0].images, 8);
  Plan strange = pyramid();  // a view of half a tensor
  strange.tensors.push_back(strange.tensors[3]);
  strange.tensors.back().shape[1].count /= 2;
  strange.steps[3].inputs[0] = static_cast<std::int32_t>(strange.tensors.size() - 1);
  EXPECT_EQ(walk_order(strange, 8).legs.size(), 1U);
}

}  // namespace
}  // namespace octavo
