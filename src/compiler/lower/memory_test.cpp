#include <gtest/gtest.h>

#include <random>

#include "compiler/lower/lowering.h"

// assign_memory on random plans: no step may overwrite bytes that a later step still reads.

namespace octavo {
namespace {

constexpr std::string_view kOther = "unary kind=exp x=f32 y=f32 count4";
constexpr std::string_view kSum = "conv2d ic4 ih4 iw4 oc4 residual1";

struct Drawn {
  Plan plan;
  std::vector<std::int32_t> buffers;
  std::int32_t buffer_count = 0;
};

/// A chain of steps over random earlier results of random sizes, growing or not, with views and sums.
Drawn draw(std::mt19937& random) {
  const auto below = [&](std::int64_t end) { return static_cast<std::int64_t>(random() % end); };
  Drawn d;
  const auto add = [&](Shape shape, std::int32_t buffer) {
    d.plan.tensors.push_back({"t", DType::u8, std::move(shape), Layout::plain, {}, Storage::arena, 0});
    d.buffers.push_back(buffer);
    return static_cast<std::int32_t>(d.plan.tensors.size() - 1);
  };
  const auto shape_of = [&](std::int32_t t) { return d.plan.tensors[static_cast<std::size_t>(t)].shape; };
  std::vector<std::int32_t> made{add({{1, true}, {1 + below(500), false}}, d.buffer_count++)};
  for (std::int64_t s = 0, count = 2 + below(20); s < count; ++s) {
    const auto any = [&] { return made[static_cast<std::size_t>(below(std::ssize(made)))]; };
    const bool is_sum = below(3) == 0;
    Step step{std::string(is_sum ? kSum : kOther), "", {any()}, 0, {}, ""};
    if (is_sum) step.inputs.insert(step.inputs.end(), {any(), any()});
    Shape shape{{1, below(4) != 0}, {1 + below(500), false}};
    if (is_sum) shape = shape_of(step.inputs[2]);
    step.output = add(std::move(shape), d.buffer_count++);
    d.plan.steps.push_back(std::move(step));
    const std::int32_t output = d.plan.steps.back().output;
    made.push_back(below(5) == 0 ? add(shape_of(output), d.buffers[static_cast<std::size_t>(output)])
                                 : output);
  }
  return d;
}

/// What each byte of the arena holds at a batch of 1: the buffer that was written there last.
class Arena {
 public:
  explicit Arena(const Drawn& d)
      : d_(d), owners_(static_cast<std::size_t>(d.plan.fixed_bytes + d.plan.bytes_per_image), -1) {}

  void write(std::int32_t tensor) {
    for (std::size_t at : bytes(tensor)) owners_[at] = buffer(tensor);
  }
  [[nodiscard]] bool holds(std::int32_t tensor) const {
    for (std::size_t at : bytes(tensor)) {
      if (owners_[at] != buffer(tensor)) return false;
    }
    return true;
  }
  [[nodiscard]] std::vector<std::size_t> bytes(std::int32_t tensor) const {
    const PlanTensor& t = d_.plan.tensors[static_cast<std::size_t>(tensor)];
    const std::int64_t begin = (is_per_image(t.shape) ? d_.plan.fixed_bytes : 0) + t.offset;
    std::vector<std::size_t> all;
    for (std::int64_t i = 0; i < tensor_bytes(t); ++i) all.push_back(static_cast<std::size_t>(begin + i));
    return all;
  }

 private:
  [[nodiscard]] std::int32_t buffer(std::int32_t tensor) const {
    return d_.buffers[static_cast<std::size_t>(tensor)];
  }
  const Drawn& d_;
  std::vector<std::int32_t> owners_;
};

TEST(AssignMemory, NeverOverwritesWhatIsStillRead) {
  int sums_in_place = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    Drawn d = draw(random);
    assign_memory(d.plan, d.buffers, d.buffer_count);
    Arena arena(d);
    arena.write(0);
    for (const Step& step : d.plan.steps) {
      for (std::int32_t input : step.inputs) {
        ASSERT_TRUE(arena.holds(input)) << "seed " << seed << ", tensor " << input;
      }
      const auto out = arena.bytes(step.output);
      for (std::size_t i = 0; i < step.inputs.size(); ++i) {
        const auto in = arena.bytes(step.inputs[i]);
        const bool touches = out.front() <= in.back() && in.front() <= out.back();
        if (!touches) continue;
        ASSERT_TRUE(step.problem == kSum && in == out) << "seed " << seed << ", input " << i;
        ASSERT_NE(step.inputs[0], step.inputs[i]) << "seed " << seed;
        ++sums_in_place;
      }
      arena.write(step.output);
    }
  }
  EXPECT_GT(sums_in_place, 100);
}

TEST(AssignMemory, ReusesTheBytesOfWhatIsNoLongerRead) {
  Drawn d;
  for (int i = 0; i < 10; ++i) {
    d.plan.tensors.push_back(
        {"t", DType::u8, {{1, true}, {1000, false}}, Layout::plain, {}, Storage::arena, 0});
    d.buffers.push_back(d.buffer_count++);
    if (i > 0) d.plan.steps.push_back({std::string(kOther), "", {i - 1}, i, {}, ""});
  }
  assign_memory(d.plan, d.buffers, d.buffer_count);
  EXPECT_EQ(d.plan.bytes_per_image, 2 * 1024);
  EXPECT_EQ(d.plan.fixed_bytes, 0);
}

}  // namespace
}  // namespace octavo
