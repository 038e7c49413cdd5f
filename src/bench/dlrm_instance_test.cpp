#include "bench/dlrm_instance.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/testing.h"
#include "engine/session/dlrm/testing/models.h"

namespace octavo::bench {
namespace {

TEST(DlrmSamples, OfOnePairCountThem) {
  DlrmSamples samples{5, {}, {}, single_pairs(5)};
  EXPECT_EQ(samples.count(), 5);
  EXPECT_EQ(samples.largest(), 1);
}

TEST(DlrmSamples, OfMlperfHave100To700PairsAnd270OnAverage) {
  constexpr std::int64_t kPairs = 5'000'000;
  DlrmSamples samples{kPairs, {}, {}, mlperf_samples(kPairs, 3)};
  EXPECT_EQ(samples.begins.back(), kPairs);
  EXPECT_EQ(samples.largest(), 700);
  std::int64_t least = kPairs;
  for (std::size_t s = 1; s + 1 < samples.begins.size(); ++s) {
    least = std::min(least, samples.begins[s] - samples.begins[s - 1]);
  }
  EXPECT_GE(least, 100);
  EXPECT_NEAR(static_cast<double>(kPairs) / static_cast<double>(samples.count()), 270, 5);
  EXPECT_EQ(mlperf_samples(10'000, 7), mlperf_samples(10'000, 7));
  EXPECT_NE(mlperf_samples(10'000, 7), mlperf_samples(10'000, 8));
}

TEST(DlrmInstance, ScoresItsSamplesWhereTheyLie) {
  const auto data = octavo::testing::random_dlrm({});
  const octavo::testing::OwnedBatch all = octavo::testing::random_batch(data->model, 100);
  std::vector<float> expected(100);
  DlrmSession(Dlrm(data)).score(all.view(), expected);
  // Samples of 7 pairs; those of numbers 12 and 13 end at 98.
  std::vector<std::int64_t> begins;
  for (std::int64_t pair = 0; pair <= 98; pair += 7) begins.push_back(pair);
  const auto samples = std::make_shared<DlrmSamples>(DlrmSamples{100, all.dense, all.indices, begins});
  DlrmInstance instance(Dlrm(data), {}, Place{}, samples);
  const auto pairs = [&](int begin, int end) {
    return std::vector<float>(expected.begin() + begin, expected.begin() + end);
  };
  EXPECT_EQ(instance.run(3, 2), 14);
  EXPECT_EQ(instance.scores(), pairs(21, 35));
  EXPECT_EQ(instance.run(12, 2), 14);
  EXPECT_EQ(instance.scores(), pairs(84, 98));
  EXPECT_EQ(instance.run(13, 2), 14) << "begins at the beginning rather than go over the end";
  EXPECT_EQ(instance.scores(), pairs(0, 14));
  EXPECT_EQ(instance.run(14 + 5, 1), 7);
  EXPECT_EQ(instance.scores(), pairs(35, 42));
  EXPECT_FALSE(instance.run_traced(0, 14).empty());
  EXPECT_EQ(instance.scores(), pairs(0, 98));
  EXPECT_EQ(octavo::testing::error_of(ErrorCode::invalid_argument, [&] { instance.run(0, 15); }),
            "15 samples at once, there are 14");
}

TEST(MacsPerPair, OfThePublishedModelAreThoseOfTheLiterature) {
  DlrmModel model;
  model.dense_features = 13;
  model.dim = 128;
  model.bottom = {512, 256, 128};
  model.top = {1024, 1024, 512, 256, 1};
  model.tables.resize(26);
  constexpr std::int64_t kLayers = 2'365'184;
  EXPECT_EQ(macs_per_pair(model), kLayers + std::int64_t{351} * 128);
  model.interaction = Interaction::dot_with_self;
  EXPECT_EQ(macs_per_pair(model), kLayers + std::int64_t{27} * 1024 + std::int64_t{378} * 128);
  model.interaction = Interaction::cat;
  EXPECT_EQ(macs_per_pair(model), kLayers + (std::int64_t{27} * 128 - 479) * 1024);
}

}  // namespace
}  // namespace octavo::bench
