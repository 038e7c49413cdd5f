#include "bench/profile.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "bench/profile_plots.h"
#include "bench/testing/small_package.h"

namespace octavo::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Profile small_profile(int threads = 1) {
  SessionOptions options;
  options.threads = threads;
  Session session(small_package(), options);
  const Tensor x(DType::f32, {3, 4});
  session.set_input("x", x.view());
  return profile(session, {Isa::avx2, threads, 1e12, 1e11, 1e11, 1e10}, 3, 0.01, {});
}

TEST(Profile, TellsWhereTheTimeGoes) {
  const Profile p = small_profile(2);
  EXPECT_GE(p.runs, 5);
  ASSERT_EQ(p.steps.size(), 3U);
  double share = 0;
  for (const StepProfile& step : p.steps) {
    EXPECT_GT(step.median_us, 0);
    EXPECT_LE(step.best_us, step.median_us);
    EXPECT_GT(step.bytes_per_second, 0);
    EXPECT_EQ(step.ops_per_second, 0) << "nothing is multiplied";
    share += step.share;
  }
  EXPECT_DOUBLE_EQ(share, 1);
  EXPECT_EQ(p.steps[0].cost.bytes, 3 * 2 * 16);
  EXPECT_THAT(p.steps[0].reads, ElementsAre());
  EXPECT_THAT(p.steps[1].reads, ElementsAre(0));
  EXPECT_THAT(p.steps[2].reads, ElementsAre(0, 1));
  EXPECT_EQ(p.timeline.size(), 6U) << "steps x threads";
  EXPECT_EQ(p.facts.front().value, "small <&> model");
}

TEST(Profile, AddsStepsUp) {
  const Profile p = small_profile();
  const std::vector<GroupProfile> layers = groups_of(p, Grouping::layer);
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_GE(layers[0].median_us, layers[1].median_us);
  for (const GroupProfile& layer : layers) EXPECT_EQ(layer.steps, layer.name == "block1" ? 2 : 1);
  EXPECT_EQ(groups_of(p, Grouping::problem).size(), 2U);
  EXPECT_EQ(groups_of(p, Grouping::kernel).size(), 2U);
}

TEST(Profile, NamesLayersByTheFirstPartOfTheirPath) {
  EXPECT_EQ(layer_of("layer3.0.conv1"), "layer3");
  EXPECT_EQ(layer_of("conv1"), "conv1");
  EXPECT_EQ(layer_of("/layer1/conv/Conv"), "layer1");
  EXPECT_EQ(layer_of(""), "input and output");
}

TEST(Profile, TraceHasEveryStepOfEveryThread) {
  const nlohmann::ordered_json trace = trace_of(small_profile(2));
  int steps = 0, waits = 0, names = 0;
  for (const auto& event : trace.at("traceEvents")) {
    if (event.at("name") == "thread_name") ++names;
    if (event.contains("tid")) {
      EXPECT_GT(event.at("tid"), 0) << "viewers keep 0 for what is no thread";
    }
    if (event.at("ph") == "X") ++(event.at("name") == "wait" ? waits : steps);
  }
  EXPECT_EQ(names, 2);
  EXPECT_EQ(steps, 6);
  EXPECT_EQ(waits, 6);
}

TEST(Profile, PageEscapesWhatTheModelSays) {
  const std::string page = html_of(small_profile());
  EXPECT_THAT(page, HasSubstr("small &lt;&amp;&gt; model"));
  EXPECT_THAT(page, Not(HasSubstr("small <&> model")));
  EXPECT_EQ(escaped("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
}

TEST(Profile, PicturesHoldOddProfilesToo) {
  Profile p = small_profile();
  p.peaks = {};
  StepProfile step = p.steps[0];
  step.cost = {1, 1'000'000'000'000, false};
  step.ops_per_second = 1e-3;
  p.steps.push_back(step);
  step.cost = {1'000'000'000'000, 1, true};
  step.ops_per_second = 1e18;
  p.steps.push_back(step);
  for (const std::string& svg : {roofline_svg(p), timeline_svg(p), graph_svg(p)}) {
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
    EXPECT_THAT(svg, Not(HasSubstr("inf")));
    EXPECT_TRUE(svg.ends_with("</svg>"));
  }
}

TEST(Profile, StopsAfterARunWhenAsked) {
  const std::atomic<bool> stop{true};
  Session session(small_package());
  const Tensor x(DType::f32, {1, 4});
  session.set_input("x", x.view());
  EXPECT_EQ(profile(session, {}, 1, 3600, {.stop = &stop}).runs, 1);
}

TEST(Peaks, AreMeasuredOnThisMachine) {
  const Peaks peaks = measure_peaks({1, {}}, usable_isa());
  EXPECT_GT(peaks.memory_bytes_per_second, 1e8);
  EXPECT_GT(peaks.l2_bytes_per_second, 1e9);
  if (implies(usable_isa(), Isa::avx2)) {
    EXPECT_GT(peaks.f32_ops_per_second, 1e9);
    EXPECT_GT(peaks.int8_ops_per_second, 1e9);
    EXPECT_GT(int8_peak({{1, {}}, {2, {}}}, usable_isa()), 1e9);
  }
  EXPECT_EQ(int8_peak({{2, {}}}, Isa::generic), 0);
}

TEST(Facts, NameTheMachineTheBuildAndThePackage) {
  const std::string text = comment_lines(facts_of(small_package()));
  for (const char* name : {"# model: small", "# package_sha256: ", "# octavo: ", "# cpu: ", "# isa: ",
                           "# governor: ", "# date: 20"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

TEST(MemoryUse, IsThatOfThisProcess) {
  const MemoryUse use = memory_use();
  EXPECT_GT(use.now, 1'000'000);
  EXPECT_GE(use.peak, use.now);
}

}  // namespace
}  // namespace octavo::bench
