#include "engine/session/handover.h"

#include <gtest/gtest.h>

namespace octavo {
namespace {

/// A kernel that writes any layout and wants one, or none.
class LayoutKernel final : public Prepared {
 public:
  explicit LayoutKernel(bool wants, std::int64_t image_bytes = 100, bool adds = true)
      : wants_(wants), adds_(adds) {
    layout_.images = 2, layout_.image_bytes = image_bytes, layout_.bytes_beyond = 10;
  }
  void run(const KernelArgs& /*args*/, Share /*share*/) const noexcept override {}
  [[nodiscard]] const PixelLayout* wanted_layout() const noexcept override {
    return wants_ ? &layout_ : nullptr;
  }
  [[nodiscard]] bool can_write(const PixelLayout& /*layout*/) const noexcept override { return true; }
  [[nodiscard]] bool can_add(const PixelLayout& /*layout*/) const noexcept override { return adds_; }

 private:
  bool wants_, adds_;
  PixelLayout layout_;
};

constexpr std::int64_t kBytes = 64;

/// A chain of steps t[s] -> t[s + 1] in an arena, each tensor in a place of its own; steps want a layout
/// where the text has a w.
struct Chain {
  Plan plan;
  std::vector<PreparedStep> steps;

  explicit Chain(std::string_view wants) {
    for (std::size_t i = 0; i <= wants.size(); ++i) {
      add_tensor(i == 0              ? Storage::input
                 : i == wants.size() ? Storage::output
                                     : Storage::arena,
                 static_cast<std::int64_t>(i) * kBytes);
    }
    for (std::size_t s = 0; s < wants.size(); ++s) {
      const auto from = static_cast<std::int32_t>(s);
      plan.steps.push_back({"conv2d", "", {from}, from + 1, {}, ""});
      steps.push_back({nullptr, {}, std::make_unique<LayoutKernel>(wants[s] == 'w'), true});
    }
  }
  std::int32_t add_tensor(Storage storage, std::int64_t offset) {
    plan.tensors.push_back(
        {"t", DType::u8, {{1, true}, {kBytes, false}}, Layout::channels_last, {}, storage, offset});
    return static_cast<std::int32_t>(plan.tensors.size() - 1);
  }
  /// By step: the buffer that takes its output, - for none.
  [[nodiscard]] std::string text(std::vector<Leg> legs = {}) const {
    if (legs.empty()) legs = {{0, steps.size(), 1}};
    std::string text;
    for (const Handover& h : handovers(plan, steps, legs))
      text += h.layout == nullptr ? '-' : static_cast<char>('0' + h.buffer);
    return text;
  }
};

TEST(Handover, IsToTheNextStepThatWantsALayout) {
  EXPECT_EQ(Chain("....").text(), "----");
  EXPECT_EQ(Chain(".w..").text(), "0---");
  EXPECT_EQ(Chain("w.w.").text(), "-0--") << "nobody writes the input of all";
  EXPECT_EQ(Chain(".www").text(), "010-") << "one buffer is read while the other is written";
}

TEST(Handover, StaysWithinALeg) { EXPECT_EQ(Chain(".www").text({{0, 2, 1}, {2, 4, 8}}), "0-0-"); }

TEST(Handover, IsOfWhatNobodyElseReads) {
  Chain later(".w..");
  later.plan.steps[3].inputs.push_back(1);
  EXPECT_EQ(later.text(), "----");
  Chain twice(".w..");
  twice.plan.steps[1].inputs.push_back(1);
  EXPECT_EQ(twice.text(), "----") << "as its residual too";
  Chain view(".w..");
  view.plan.steps[2].inputs.push_back(view.add_tensor(Storage::arena, kBytes + 8));
  EXPECT_EQ(view.text(), "----") << "a part of it";
  Chain second(".w..");
  second.plan.steps[1].inputs = {2, 1};
  EXPECT_EQ(second.text(), "----") << "not as the first operand";
}

TEST(Handover, EndsWhereItsBytesAreWrittenAnew) {
  Chain reused(".w...");
  reused.plan.tensors[3].offset = kBytes;  // step 2 writes where step 0 wrote
  EXPECT_EQ(reused.text(), "0----");
  reused.plan.steps[4].inputs.push_back(reused.add_tensor(Storage::arena, kBytes));
  EXPECT_EQ(reused.text(), "0----") << "a view of what step 2 wrote";
}

TEST(Handover, EndsWhereItsBytesAreWrittenAnewInParts) {
  Chain reused(".w....");
  PlanTensor& first = reused.plan.tensors[3];  // what step 2 writes
  first.offset = kBytes, first.shape[1].count = kBytes / 2;
  PlanTensor& second = reused.plan.tensors[4];
  second.offset = kBytes + kBytes / 2, second.shape[1].count = kBytes / 2;
  EXPECT_EQ(reused.text(), "0-----");
  second.offset += kBytes / 4;  // a quarter of what step 0 wrote is left, and not read
  EXPECT_EQ(reused.text(), "0-----");
  const std::int32_t view = reused.add_tensor(Storage::arena, kBytes);  // a quarter of it is step 0's
  reused.plan.steps[5].inputs.push_back(view);
  EXPECT_EQ(reused.text(), "------");
}

/// Step 2 adds what step 0 writes to what step 1 makes of it.
Chain block() {
  Chain chain(".www.");
  chain.plan.steps[2].inputs = {2, chain.add_tensor(Storage::weights, 0), 1};
  return chain;
}

TEST(Handover, MayBeReadAgainAsAResidual) {
  const Chain chain = block();
  EXPECT_EQ(chain.text(), "010--") << "the sum takes its residual's place";
  const auto all = handovers(chain.plan, chain.steps, std::vector<Leg>{{0, 5, 1}});
  EXPECT_EQ(all[0].adder, 2U);
  EXPECT_EQ(all[1].adder, 0U);
  EXPECT_EQ(chain.text({{0, 2, 1}, {2, 5, 1}}), "--0--") << "in another leg";
}

TEST(Handover, IsNotToTheResidualsPlaceWherePixelsLieOtherwise) {
  Chain chain = block();
  chain.steps[3].kernel = std::make_unique<LayoutKernel>(true, 200);
  EXPECT_EQ(chain.text(), "01---") << "both buffers are read";
}

TEST(Handover, IsOfResidualsThatCanBeReadSo) {
  Chain chain = block();
  chain.steps[2].kernel = std::make_unique<LayoutKernel>(true, 100, false);
  EXPECT_EQ(chain.text(), "-01--");
}

TEST(Handover, IsToOneAdderAtMost) {
  Chain chain = block();
  chain.plan.steps[3].inputs = {3, chain.plan.steps[2].inputs[1], 1};
  EXPECT_EQ(chain.text(), "-01--");
}

TEST(Handover, BuffersTakeTheLargestLayoutOfTheirLegs) {
  const Chain chain(".ww");
  const auto all = handovers(chain.plan, chain.steps, std::vector<Leg>{{0, 3, 3}});
  EXPECT_EQ(handover_bytes(all, 0), aligned_bytes(2 * 3 * 100 + 10));
  EXPECT_EQ(handover_bytes(all, 1), aligned_bytes(2 * 3 * 100 + 10));
  EXPECT_EQ(handover_bytes(std::vector<Handover>(2), 0), 0);
}

TEST(Handover, IsOfOneImageOrOfFewBytes) {
  const Chain chain(".w");
  EXPECT_EQ(chain.text({{0, 2, 1}}), "0-");
  EXPECT_EQ(chain.text({{0, 2, 2000}}), "0-");
  EXPECT_EQ(chain.text({{0, 2, 4000}}), "--");
  Chain large(".w");
  large.steps[1].kernel = std::make_unique<LayoutKernel>(true, 500'000);  // two of them for one image
  EXPECT_EQ(large.text(), "0-");
  large.steps[1].kernel = std::make_unique<LayoutKernel>(true, 600'000);
  EXPECT_EQ(large.text(), "--");
}

TEST(Handover, IsBetweenStepsThatGrowWithTheBatch) {
  Chain chain(".w");
  chain.steps[0].grows = false;
  EXPECT_EQ(chain.text(), "--");
}

}  // namespace
}  // namespace octavo
