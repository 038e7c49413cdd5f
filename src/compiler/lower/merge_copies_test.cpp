#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <numeric>
#include <random>

#include "compiler/lower/lower.h"
#include "octavo/session.h"
#include "package/package.h"

namespace octavo {
namespace {

using ::testing::StartsWith;

using Extents = std::vector<std::int64_t>;

Plan plan_of(std::string_view graph) { return lower(parse_graph(graph)).first; }

/// A shortcut of a residual network that halves the image and doubles the channels without weights.
constexpr std::string_view kShortcut = R"(graph(x: u8[N,16,32,32]) {
  a = slice(x) begin=(0,0,0,0) end=(1,16,32,32) step=(1,1,2,1)
  b = slice(a) begin=(0,0,0,0) end=(1,16,16,32) step=(1,1,1,2)
  y = pad(b) before=(0,8,0,0) after=(0,8,0,0) value=0
  return y
})";

TEST(MergeCopies, DoSeveralCopiesAtOnce) {
  const Plan plan = plan_of(kShortcut);
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_THAT(plan.steps[0].problem,
              StartsWith("copy dims=1,32,16,16 x_strides=0,1024,64,2 begin=0,8,0,0 count=1,16,16,16"));
  EXPECT_EQ(plan.steps[0].inputs[0], plan.inputs[0].tensor);
}

TEST(MergeCopies, KeepWhatOthersRead) {
  std::string graph(kShortcut);
  graph.replace(graph.find("return y"), 8, "return y, a");
  const Plan plan = plan_of(graph);
  ASSERT_EQ(plan.steps.size(), 2U);
  EXPECT_EQ(plan.steps[1].inputs[0], plan.inputs[0].tensor);
}

TEST(MergeCopies, LeaveWhatOneCopyCannotDo) {
  // Filled in between; and an extent that goes on from row to row of the first result.
  EXPECT_EQ(plan_of(R"(graph(x: f32[N,4]) {
    a = pad(x) before=(0,1) after=(0,1) value=7
    y = slice(a) begin=(0,0) end=(1,6) step=(1,2)
    return y
  })")
                .steps.size(),
            2U);
  EXPECT_EQ(plan_of(R"(graph(x: f32[N,6,4]) {
    a = slice(x) begin=(0,0,0) end=(1,6,3) step=(1,1,1)
    b = reshape(a) shape=[N,18]
    y = slice(b) begin=(0,1) end=(1,18) step=(1,2)
    return y
  })")
                .steps.size(),
            2U);
}

/// A random slice, transposition or padding of a value of this shape (without the batch), which it changes.
std::string random_copy(Extents& shape, std::mt19937& random) {
  const auto below = [&](std::int64_t count) {
    return std::uniform_int_distribution<std::int64_t>(0, count - 1)(random);
  };
  const std::size_t rank = shape.size();
  const auto list = [](const Extents& values, std::int64_t first) {
    return fmt::format("({},{})", first, fmt::join(values, ","));
  };
  switch (below(4)) {
    case 0: {
      Extents perm(rank);
      std::iota(perm.begin(), perm.end(), 1);
      std::shuffle(perm.begin(), perm.end(), random);
      Extents moved;
      for (std::int64_t d : perm) moved.push_back(shape[static_cast<std::size_t>(d - 1)]);
      shape = moved;
      return "transpose({}) perm=" + list(perm, 0);
    }
    case 1: {
      Extents before, after;
      for (std::int64_t& extent : shape) {
        before.push_back(below(2)), after.push_back(below(2));
        extent += before.back() + after.back();
      }
      return fmt::format("pad({{}}) before={} after={} value=5", list(before, 0), list(after, 0));
    }
    default: {
      Extents begin, end, step;
      for (std::int64_t& extent : shape) {
        const std::int64_t first = below(extent), last = first + below(extent - first);
        const bool is_reversed = below(3) == 0;
        step.push_back((1 + below(2)) * (is_reversed ? -1 : 1));
        begin.push_back(is_reversed ? last : first);
        end.push_back(is_reversed ? first - 1 : last + 1);
        extent = (last - first) / std::abs(step.back()) + 1;
      }
      return fmt::format("slice({{}}) begin={} end={} step={}", list(begin, 0), list(end, 1), list(step, 1));
    }
  }
}

Tensor result_of(const std::string& text, const Tensor& x) {
  auto [plan, weights] = lower(parse_graph(text));
  Session session(make_package(std::move(plan), std::move(weights), {}));
  session.set_input("x", x.view());
  session.run();
  return Tensor(session.output());
}

TEST(MergeCopies, ReadWhatCopiesOneByOneRead) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random(seed);
    Extents shape{4, 6, 5};
    Tensor x(DType::f32, {3, 4, 6, 5});
    std::iota(x.as<float>().begin(), x.as<float>().end(), 1.0F);
    // Numbers above 0 pass a relu unchanged, which keeps copies apart.
    std::string merged = "graph(x: f32[N,4,6,5]) {\n", apart = merged, from_merged = "x", from_apart = "x";
    for (int i = 0; i < 4; ++i) {
      const std::string copy = random_copy(shape, random);
      const auto add = [&](std::string& text, const std::string& from, const std::string& to) {
        text += fmt::format("  {} = {}\n", to, fmt::format(fmt::runtime(copy), from));
      };
      add(merged, from_merged, fmt::format("m{}", i));
      from_merged = fmt::format("m{}", i);
      add(apart, from_apart, fmt::format("a{}", i));
      apart += fmt::format("  r{} = relu(a{})\n", i, i);
      from_apart = fmt::format("r{}", i);
    }
    merged += fmt::format("  return {}\n}}", from_merged);
    apart += fmt::format("  return {}\n}}", from_apart);
    SCOPED_TRACE(merged);
    const Tensor expected = result_of(apart, x), result = result_of(merged, x);
    ASSERT_EQ(result.shape(), expected.shape());
    ASSERT_TRUE(std::ranges::equal(result.as<float>(), expected.as<float>()));
  }
}

}  // namespace
}  // namespace octavo
