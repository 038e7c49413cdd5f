#include "octavo/session.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/cpu.h"
#include "base/testing.h"
#include "octavo/error.h"
#include "package/package.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

PlanTensor tensor(const char* name, Shape shape, Storage storage, std::int64_t offset) {
  return {name, DType::f32, std::move(shape), Layout::plain, std::nullopt, storage, offset};
}

/// y = (a + b) + exp(c) with a, b of shape [N, 4] and c of [4].
Package sum_of_inputs() {
  Plan plan;
  plan.name = "sum";
  const Shape batched{{1, true}, {4, false}};
  const Shape fixed{{4, false}};
  plan.tensors = {tensor("a", batched, Storage::input, 0), tensor("b", batched, Storage::input, 1),
                  tensor("c", fixed, Storage::input, 2),   tensor("ab", batched, Storage::arena, 0),
                  tensor("e", fixed, Storage::arena, 0),   tensor("y", batched, Storage::output, 0)};
  plan.inputs = {{"a", 0}, {"b", 1}, {"c", 2}};
  plan.outputs = {{"y", 5}};
  plan.fixed_bytes = plan.bytes_per_image = 64;
  const std::string f32 = "binary a=f32 b=f32 y=f32 dims=4 a_strides=1 b_strides=1 a_batch_stride4";
  plan.steps = {{f32 + " b_batch_stride4", "", {0, 1}, 3, {}, ""},
                {"unary kind=exp x=f32 y=f32 count4", "", {2}, 4, {}, ""},
                {f32, "", {3, 4}, 5, {}, ""}};
  return make_package(std::move(plan), {}, {});
}

Tensor filled(std::vector<std::int64_t> shape, float first) {
  Tensor t(DType::f32, std::move(shape));
  for (float& v : t.as<float>()) v = first++;
  return t;
}

SessionOptions with_passes(std::int64_t images) {
  SessionOptions options;
  options.pass.images = images;
  return options;
}
SessionOptions with_threads(int threads) {
  SessionOptions options;
  options.threads = threads;
  return options;
}
SessionOptions with_kernels(const char* kernels) {
  SessionOptions options;
  options.kernels = kernels;
  return options;
}

template <class Action>
std::string error_of(Action action) {
  return testing::error_of(ErrorCode::invalid_argument, action);
}

TEST(Session, ComputesBatchesOfAnySizeInPassesOfAnySize) {
  const Tensor a = filled({5, 4}, 0), b = filled({5, 4}, 100), c = Tensor(DType::f32, {4});
  for (std::int64_t images_per_pass : {1, 2, 5, 8}) {
    Session session(sum_of_inputs(), with_passes(images_per_pass));
    session.set_input("a", a.view());
    session.set_input("b", b.view());
    session.set_input("c", c.view());
    session.run();
    const TensorView y = session.output("y");
    EXPECT_EQ(y.shape, (std::vector<std::int64_t>{5, 4}));
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(y.as<float>()[i], 101.0F + 2.0F * static_cast<float>(i));
  }
}

TEST(Session, RefusesInputsThatAreNotTheModels) {
  Session session(sum_of_inputs());
  const Tensor good = filled({2, 4}, 0);
  EXPECT_THAT(error_of([&] { session.set_input("z", good.view()); }),
              HasSubstr("model 'sum' has no input 'z'"));
  EXPECT_THAT(error_of([&] {
                session.set_input("a", Tensor(DType::u8, {2, 4}).view());
              }),
              HasSubstr("input 'a' is u8, expected f32"));
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{}, {4}, {2, 5}, {0, 4}, {2, 4, 1}, {2, 2, 2}}) {
    EXPECT_THAT(error_of([&] { session.set_input("a", Tensor(DType::f32, shape).view()); }),
                HasSubstr("input 'a' has shape"))
        << shape_text(shape);
  }
  EXPECT_THAT(error_of([&] { session.set_input("c", good.view()); }), HasSubstr("input 'c' has shape"));
}

TEST(Session, NamesAnInputThatWasNeverGiven) {
  Session session(sum_of_inputs());
  const Tensor good = filled({2, 4}, 0);
  session.set_input("a", good.view());
  session.set_input("c", TensorView{DType::f32, {4}, good.data()});
  EXPECT_THAT(error_of([&] { session.run(); }), HasSubstr("input 'b' was not given"));
}

TEST(Session, RefusesInputsWithDifferentBatches) {
  Session session(sum_of_inputs());
  const Tensor good = filled({3, 4}, 0);
  session.set_input("a", good.view());
  session.set_input("b", TensorView{DType::f32, {2, 4}, good.data()});
  session.set_input("c", TensorView{DType::f32, {4}, good.data()});
  EXPECT_THAT(error_of([&] { session.run(); }), HasSubstr("input 'b' has a batch of 2, another has 3"));
}

TEST(Session, RefusesOutputsThatAreNotThere) {
  Session session(sum_of_inputs());
  EXPECT_THAT(error_of([&] { static_cast<void>(session.output("z")); }), HasSubstr("has no output 'z'"));
  EXPECT_THAT(error_of([&] { static_cast<void>(session.output("y")); }), HasSubstr("not computed yet"));
  EXPECT_THAT(error_of([&] { static_cast<void>(session.output(1)); }), HasSubstr("output 1"));
}

TEST(Session, RefusesOptionsThatMakeNoSense) {
  EXPECT_THAT(error_of([] { Session(sum_of_inputs(), with_threads(0)); }), HasSubstr("0"));
  EXPECT_THAT(error_of([] { Session(sum_of_inputs(), with_passes(-1)); }), HasSubstr("images_per_pass -1"));
  EXPECT_THAT(error_of([] { Session(sum_of_inputs(), with_kernels("conv2d")); }),
              HasSubstr("'conv2d' is not FAMILY:ROW"));
  EXPECT_THAT(error_of([] { Session(sum_of_inputs(), with_kernels("conv3d:reference")); }),
              HasSubstr("conv3d"));
  EXPECT_THAT(error_of([] { Session(sum_of_inputs(), with_kernels("binary:fastest")); }),
              HasSubstr("family binary has no kernel 'fastest'"));
}

TEST(Session, RunsTheRowThatIsForced) {
  for (const StepInfo& step : Session(sum_of_inputs(), with_kernels("binary:reference")).steps()) {
    EXPECT_TRUE(!step.problem.starts_with("binary") || step.kernel == "reference") << step.kernel;
  }
}

TEST(Session, ForcesRowsByTheEnvironmentToo) {
  setenv("OCTAVO_KERNEL", "binary:reference,unary:reference", 1);
  for (const StepInfo& step : Session(sum_of_inputs()).steps()) EXPECT_EQ(step.kernel, "reference");
  setenv("OCTAVO_KERNEL", "binary:bogus", 1);
  EXPECT_THAT(error_of([] { Session{sum_of_inputs()}; }), HasSubstr("'bogus'"));
  unsetenv("OCTAVO_KERNEL");
}

TEST(Session, MovesWithItsResults) {
  Session first(sum_of_inputs());
  const Tensor x = filled({1, 4}, 0);
  first.set_input("a", x.view());
  first.set_input("b", x.view());
  first.set_input("c", TensorView{DType::f32, {4}, x.data()});
  first.run();
  Session second(std::move(first));
  EXPECT_EQ(second.output().as<float>()[0], 1.0F);
  second = Session(sum_of_inputs());
  EXPECT_EQ(second.package().name(), "sum");
}

TEST(Session, TracesWhatEveryThreadDoes) {
  SessionOptions options = with_threads(2);
  options.pass.images = 2;
  Session session(sum_of_inputs(), options);
  const Tensor a = filled({5, 4}, 0), c = filled({4}, 0);
  session.set_input("a", a.view());
  session.set_input("b", a.view());
  session.set_input("c", c.view());
  const std::vector<StepEvent> events = session.run_traced();
  EXPECT_EQ(session.output("y").shape, (std::vector<std::int64_t>{5, 4}));
  ASSERT_EQ(events.size(), 2U * 3U * 3U) << "threads x steps x passes of 2, 2 and 1 images";
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].thread, i < 9 ? 0 : 1);
    EXPECT_EQ(events[i].step, static_cast<std::int32_t>(i % 3));
    EXPECT_LE(events[i].begin_ns, events[i].done_ns);
    EXPECT_LE(events[i].done_ns, events[i].end_ns);
    if (i % 9 != 0) {
      EXPECT_LE(events[i - 1].end_ns, events[i].begin_ns);
    }
  }
  EXPECT_EQ(session.run_timed().size(), 3U);
}

TEST(Session, GoesOnToTheNextRowWhereWeightsAreNotConstant) {
  Plan plan;
  plan.name = "product";
  plan.tensors = {tensor("x", {{1, true}, {2, false}}, Storage::input, 0),
                  tensor("w", {{1, false}, {2, false}}, Storage::input, 1),
                  tensor("y", {{1, true}, {1, false}}, Storage::output, 0)};
  plan.inputs = {{"x", 0}, {"w", 1}};
  plan.outputs = {{"y", 2}};
  plan.steps = {{"linear x=f32 w=f32 y=f32 ic2 oc1", "", {0, 1}, 2, {}, ""}};
  Session session(make_package(std::move(plan), {}, {}));
  EXPECT_EQ(session.steps()[0].kernel, "reference");
  EXPECT_THAT(session.steps()[0].passed_over,
              ::testing::Contains(HasSubstr("weights that are not constant")));
  const Tensor x = filled({1, 2}, 1), w = filled({1, 2}, 3);
  session.set_input("x", x.view());
  session.set_input("w", w.view());
  session.run();
  EXPECT_EQ(session.output().as<float>()[0], 1.0F * 3.0F + 2.0F * 4.0F);
}

}  // namespace
}  // namespace octavo
