#include "engine/session/prepared_plan.h"

#include <gmock/gmock.h>

#include <thread>

#include "package/package.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

/// y = exp(x) of shape [N, 4].
Package exponential(const std::string& problem = "unary kind=exp x=f32 y=f32 count4") {
  Plan plan;
  plan.name = "exponential";
  const Shape batched{{1, true}, {4, false}};
  plan.tensors = {{"x", DType::f32, batched, Layout::plain, std::nullopt, Storage::input, 0},
                  {"y", DType::f32, batched, Layout::plain, std::nullopt, Storage::output, 0}};
  plan.inputs = {{"x", 0}};
  plan.outputs = {{"y", 1}};
  plan.steps = {{problem, "", {0}, 1, {}, ""}};
  return make_package(std::move(plan), {}, {});
}

TEST(PreparedPlan, IsSharedWhileSomebodyUsesIt) {
  ThreadTeam team(2, {});
  const Package package = exponential();
  const auto first = prepared_plan(package, {}, team);
  EXPECT_EQ(prepared_plan(Package(package), {}, team), first) << "copies of a package are the same package";
  EXPECT_EQ(first->steps.size(), 1U);
  std::weak_ptr<const PreparedPlan> watched = first;
  EXPECT_FALSE(watched.expired());
}

TEST(PreparedPlan, GoesWithItsLastUser) {
  ThreadTeam team(1, {});
  const Package package = exponential();
  std::weak_ptr<const PreparedPlan> watched = prepared_plan(package, {}, team);
  EXPECT_TRUE(watched.expired());
  EXPECT_NE(prepared_plan(package, {}, team), nullptr) << "and is made anew";
}

TEST(PreparedPlan, KeepsThePackageThatItsKernelsLookAt) {
  ThreadTeam team(1, {});
  std::shared_ptr<const PreparedPlan> plan;
  {
    const Package package = exponential();
    plan = prepared_plan(package, {}, team);
  }
  EXPECT_EQ(plan->package.name(), "exponential");
}

TEST(PreparedPlan, DiffersByPackageKernelsIsaAndNode) {
  ThreadTeam team(1, {});
  const Package package = exponential();
  const auto plan = prepared_plan(package, {}, team);
  EXPECT_NE(prepared_plan(exponential(), {}, team), plan);
  EXPECT_NE(prepared_plan(package, {"unary:reference"}, team), plan);
  EXPECT_NE(prepared_plan(package, {"", Isa::avx2}, team), plan);
  EXPECT_NE(prepared_plan(package, {"", Isa::generic, 1}, team), plan);
}

TEST(PreparedPlan, ThatFailsIsTriedAgainByTheNext) {
  ThreadTeam team(1, {});
  const Package package = exponential("unary kind=exp x=f32 y=f32 count5");
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      prepared_plan(package, {}, team);
      FAIL();
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("count5"));
    }
  }
}

TEST(PreparedPlan, SessionsComeAndGoInManyThreads) {
  const Package package = exponential();
  const Tensor x(DType::f32, {3, 4});
  std::vector<std::jthread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        Session session(package);
        session.set_input("x", x.view());
        session.run();
        right += session.output().as<float>()[0] == 1.0F ? 1 : 0;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 200);
}

}  // namespace
}  // namespace octavo
