#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/cpu.h"
#include "base/testing.h"
#include "engine/embedding/bag_sum.h"
#include "engine/kernels/amx/testing/emulated_tiles.h"
#include "engine/kernels/dlrm/testing/emulated.h"
#include "engine/session/dlrm/dot_folds.h"
#include "engine/session/dlrm/int8_pipeline.h"
#include "engine/session/dlrm/testing/models.h"
#include "engine/session/dlrm/testing/shapes.h"

namespace octavo {
namespace {

using testing::DlrmShape;
using testing::OwnedBatch;
using testing::shape_of;

std::vector<float> int8_scores(const std::shared_ptr<const DlrmData>& data, const DlrmBatch& batch,
                               std::string_view kernel, int threads = 1) {
  DlrmSessionOptions options;
  options.precision = DlrmPrecision::int8;
  options.kernel = kernel;
  options.threads = threads;
  DlrmSession session(Dlrm(data), options);
  std::vector<float> scores(static_cast<std::size_t>(batch.samples));
  session.score(batch, scores);
  return scores;
}

/// A model and what the reference gives for it.
struct Case {
  std::string name;
  std::shared_ptr<DlrmData> data;
  std::vector<OwnedBatch> batches;
  std::vector<std::vector<float>> expected;

  explicit Case(const testing::ShapeCase& c) : name(c.name), data(testing::random_dlrm(c.shape)) {
    testing::calibrate(data, testing::random_batch(data->model, 200).view());
    for (std::int64_t samples : c.batches) {
      for (std::int64_t most_in_bag : {0, 3})
        batches.push_back(testing::random_batch(data->model, samples, most_in_bag, 9));
    }
    for (const OwnedBatch& batch : batches) expected.push_back(int8_scores(data, batch.view(), "reference"));
  }
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = [] {
    std::vector<Case> made;
    for (const testing::ShapeCase& c : testing::shape_cases()) made.emplace_back(c);
    return made;
  }();
  return kCases;
}

class FusedRow : public ::testing::TestWithParam<DlrmRow> {};

TEST_P(FusedRow, EqualsTheReferenceBitForBit) {
  const DlrmRow& row = GetParam();
  if (!implies(usable_isa(), row.needs)) GTEST_SKIP() << "NOT TESTED: needs " << isa_name(row.needs);
  for (const Case& c : cases()) {
    for (std::size_t i = 0; i < c.batches.size(); ++i) {
      EXPECT_EQ(int8_scores(c.data, c.batches[i].view(), row.name), c.expected[i])
          << c.name << ", " << c.batches[i].samples << " samples"
          << (c.batches[i].offsets.empty() ? "" : " in bags");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dlrm, FusedRow,
                         ::testing::ValuesIn(dlrm_int8_rows().begin(), dlrm_int8_rows().end()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(FusedRow, OfTilesEqualsTheReferenceThroughEmulation) {
  if (!implies(usable_isa(), Isa::avx512_vnni)) GTEST_SKIP() << "NOT TESTED: needs avx512_vnni";
  for (const Case& c : cases()) {
    const auto pipeline = prepare_int8(
        *c.data, {dlrm_input_avx512_vnni, dlrm_layer_emulated, dlrm_dots_emulated, dlrm_last_avx512_vnni},
        {gather_features_avx512, bag_sum_avx512, quantize_features_avx512});
    const MemoryRegion scratch = MemoryRegion::zeros(pipeline->scratch_bytes());
    for (std::size_t i = 0; i < c.batches.size(); ++i) {
      std::vector<float> scores(c.expected[i].size());
      const DlrmBatch batch = c.batches[i].view();
      pipeline->run({&batch, 0, batch.samples, scores.data()}, scratch.data());
      EXPECT_EQ(scores, c.expected[i]) << c.name << ", " << batch.samples << " samples";
      EXPECT_EQ(emulated::take_fault(), "");
    }
  }
}

TEST(FusedRow, GivesTheSameForManySamplesAndThreads) {
  const Case& c = cases()[0];
  const OwnedBatch batch = testing::random_batch(c.data->model, 1300);
  const std::vector<float> expected = int8_scores(c.data, batch.view(), "reference", 2);
  for (int threads : {1, 2, 3})
    EXPECT_EQ(int8_scores(c.data, batch.view(), "", threads), expected) << threads;
}

TEST(Int8, IsNearF32) {
  for (const Case& c : cases()) {
    const auto exact = testing::plain_scores(*c.data, c.batches[0].view());
    for (std::size_t i = 0; i < exact.size(); ++i)
      EXPECT_NEAR(c.expected[0][i], exact[i], 0.15) << c.name << " sample " << i;
  }
}

TEST(Int8, TellsSamplesApart) {
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 32, 5, {RowFormat::s8_table}));
  const OwnedBatch batch = testing::random_batch(data->model, 300);
  testing::calibrate(data, batch.view());
  const std::vector<float> scores = int8_scores(data, batch.view(), "");
  EXPECT_GT(std::set<float>(scores.begin(), scores.end()).size(), 250U);
}

TEST(Int8, NeedsACalibratedModelWithFiniteWeights) {
  const auto data = testing::random_dlrm({});
  const OwnedBatch batch = testing::random_batch(data->model, 3);
  const auto message = [&] {
    return testing::error_of(ErrorCode::invalid_model, [&] { int8_scores(data, batch.view(), ""); });
  };
  EXPECT_EQ(message(), "'random' is not calibrated: int8 needs the ranges of its activations");
  testing::calibrate(data, batch.view());
  data->top[1].weights.as<float>()[5] = std::nanf("");
  EXPECT_EQ(message(), "layer 1 of the top MLP holds nan");
}

TEST(Int8, RefusesLayersWhoseSumsCouldOverflow) {
  DlrmShape shape = shape_of(Interaction::cat, 1000, 66, {RowFormat::s8_table});
  shape.top = {1};
  const auto data = testing::random_dlrm(shape);
  const OwnedBatch batch = testing::random_batch(data->model, 1);
  testing::calibrate(data, batch.view());
  EXPECT_EQ(testing::error_of(ErrorCode::unsupported, [&] { int8_scores(data, batch.view(), ""); }),
            "layer 0 of the top MLP has 67000 inputs; sums of 8-bit products hold 65793");
}

TEST(Int8, SurvivesRangesThatMakeNoSense) {
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 32, 5, {RowFormat::f32}));
  const OwnedBatch batch = testing::random_batch(data->model, 20);
  testing::calibrate(data, batch.view());
  DlrmCalibration& ranges = *data->model.calibration;
  for (float value : {0.0F, 1e-38F, 1e38F}) {
    ranges.dense = {-value, value};
    for (auto* each : {&ranges.bottom, &ranges.embeddings, &ranges.dots, &ranges.top})
      std::fill(each->begin(), each->end(), ValueRange{0, value});
    const std::vector<float> expected = int8_scores(data, batch.view(), "reference");
    for (const DlrmRow& row : dlrm_int8_rows()) {
      if (!implies(usable_isa(), row.needs)) continue;
      EXPECT_EQ(int8_scores(data, batch.view(), row.name), expected) << row.name;
    }
  }
}

TEST(DotFolds, PutEveryProductInAPlaceOfItsOwn) {
  EXPECT_EQ(fold_dots(27, false).folds.size(), 24U);
  for (std::int64_t vectors : {1, 2, 15, 16, 17, 27, 32, 33, 70, 300}) {
    for (bool with_self : {false, true}) {
      const DotFolds dots = fold_dots(vectors, with_self);
      EXPECT_EQ(std::ssize(dots.places), vectors * (vectors - 1) / 2 + (with_self ? vectors : 0));
      EXPECT_EQ(std::set<std::int64_t>(dots.places.begin(), dots.places.end()).size(), dots.places.size());
      EXPECT_EQ(dots.folds.size() % 4, 0U);
      for (std::int64_t place : dots.places) EXPECT_LT(place, std::ssize(dots.folds) * 16);
    }
  }
}

}  // namespace
}  // namespace octavo
