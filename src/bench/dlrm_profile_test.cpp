#include "bench/dlrm_profile.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "engine/session/dlrm/testing/models.h"

namespace octavo::bench {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kPairs = 96;

std::shared_ptr<const DlrmSamples> samples_of(const octavo::testing::OwnedBatch& batch) {
  return std::make_shared<DlrmSamples>(
      DlrmSamples{batch.samples, batch.dense, batch.indices, single_pairs(batch.samples)});
}

Profile profile_of(DlrmPrecision precision, Interaction interaction, int threads = 1) {
  octavo::testing::DlrmShape shape;
  shape.interaction = interaction;
  shape.formats = {RowFormat::s4_codebook, RowFormat::f32};
  const auto data = octavo::testing::random_dlrm(shape);
  const auto batch = octavo::testing::random_batch(data->model, kPairs);
  octavo::testing::calibrate(data, batch.view());
  DlrmSessionOptions options;
  options.precision = precision;
  DlrmInstance instance(Dlrm(data), options, {threads, {}}, samples_of(batch));
  return profile(traced(instance, precision, 40, {{"model", "random"}}),
                 {Isa::avx2, threads, 1e12, 1e11, 1e11, 1e10}, 40, 0.01, {});
}

std::vector<std::string> names_of(const Profile& p) {
  std::vector<std::string> names;
  for (const StepProfile& step : p.steps) names.push_back(step.info.origin);
  return names;
}

const StepProfile& step_of(const Profile& p, std::string_view name) {
  return *std::find_if(p.steps.begin(), p.steps.end(),
                       [&](const StepProfile& step) { return step.info.origin == name; });
}

TEST(DlrmProfile, TellsWhatEachStageTakesAndCosts) {
  const Profile p = profile_of(DlrmPrecision::int8, Interaction::dot, 2);
  EXPECT_THAT(names_of(p), ElementsAre("check", "input", "bottom.0", "bottom.1", "gather", "interaction",
                                       "top.0", "top.1", "top.2", "sigmoid"));
  double share = 0;
  for (const StepProfile& step : p.steps) {
    EXPECT_GT(step.median_us, 0) << step.info.origin;
    EXPECT_GT(step.cost.bytes, 0) << step.info.origin;
    EXPECT_FALSE(step.info.kernel.empty());
    share += step.share;
  }
  EXPECT_NEAR(share, 1, 1e-9);
  const StepProfile& first = step_of(p, "bottom.0");
  EXPECT_EQ(first.info.problem, "layer int8 ic13 oc64");
  EXPECT_EQ(first.cost.macs, 40 * 13 * 64);
  EXPECT_EQ(first.cost.bytes, 40 * (13 + 64) + 13 * 64);
  EXPECT_FALSE(first.cost.is_float);
  EXPECT_GT(first.ops_fraction, 0);
  const StepProfile& gather = step_of(p, "gather");
  EXPECT_EQ(gather.info.problem, "gather f32,s4_codebook tables3 dim32");
  EXPECT_EQ(gather.cost.bytes, 40 * (16 + 128 + 16 + 3 * 8));
  EXPECT_DOUBLE_EQ(gather.bytes_fraction, gather.bytes_per_second / 1e10) << "memory's rate";
  const StepProfile& interaction = step_of(p, "interaction");
  EXPECT_EQ(interaction.info.problem, "dot int8 vectors4 dim32");
  EXPECT_EQ(interaction.cost.macs, 40 * 6 * 32);
  EXPECT_THAT(interaction.reads, ElementsAre(3, 4));
  EXPECT_DOUBLE_EQ(interaction.bytes_fraction, interaction.bytes_per_second / 1e11) << "L2's rate";
  EXPECT_EQ(step_of(p, "top.0").cost.macs, 40 * (32 + 6) * 64);
  std::int64_t macs = 0;
  for (const StepProfile& step : p.steps) macs += step.cost.macs;
  octavo::testing::DlrmShape shape;
  EXPECT_EQ(macs, 40 * macs_per_pair(octavo::testing::random_dlrm(shape)->model));
}

TEST(DlrmProfile, OfTheF32PipelineHasNoInputStageAndCountsFloats) {
  const Profile p = profile_of(DlrmPrecision::f32, Interaction::cat);
  EXPECT_THAT(names_of(p), ElementsAre("check", "bottom.0", "bottom.1", "gather", "interaction", "top.0",
                                       "top.1", "top.2", "sigmoid"));
  EXPECT_TRUE(step_of(p, "top.1").cost.is_float);
  EXPECT_EQ(step_of(p, "top.1").cost.bytes, 4 * (40 * (64 + 32) + 64 * 32));
  EXPECT_THAT(step_of(p, "bottom.0").reads, ElementsAre());
  EXPECT_EQ(step_of(p, "interaction").cost.macs, 0);
}

TEST(DlrmProfile, ScoresTheNextSamplesInEachRun) {
  const auto data = octavo::testing::random_dlrm({});
  const auto batch = octavo::testing::random_batch(data->model, kPairs);
  DlrmInstance instance(Dlrm(data), {}, {1, {}}, samples_of(batch));
  const Traced what = traced(instance, DlrmPrecision::f32, 40, {});
  what.run();
  const std::vector<float> first = instance.scores();
  what.run();
  EXPECT_NE(instance.scores(), first);
  what.run();  // 80 .. 120 goes over the end
  EXPECT_EQ(instance.scores(), first);
}

}  // namespace
}  // namespace octavo::bench
