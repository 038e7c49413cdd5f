#include "bench/dlrm_instance.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/testing.h"

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

TEST(MacsPerPair, OfThePublishedModelAreThoseOfTheLiterature) {
  DlrmModel model;
  model.dense_features = 13;
  model.dim = 128;
  model.bottom = {512, 256, 128};
  model.top = {1024, 1024, 512, 256, 1};
  model.tables.resize(26);
  constexpr std::int64_t kLayers = 2'365'184;
  EXPECT_EQ(macs_per_pair(model), kLayers + 351 * 128);
  model.interaction = Interaction::dot_with_self;
  EXPECT_EQ(macs_per_pair(model), kLayers + 27 * 1024 + 378 * 128);
  model.interaction = Interaction::cat;
  EXPECT_EQ(macs_per_pair(model), kLayers + (27 * 128 - 479) * 1024);
}

}  // namespace
}  // namespace octavo::bench
