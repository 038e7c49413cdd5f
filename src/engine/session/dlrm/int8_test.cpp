#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/cpu.h"
#include "base/testing.h"
#include "engine/embedding/bag_sum.h"
#include "engine/kernels/dlrm/testing/emulated.h"
#include "engine/session/dlrm/dot_folds.h"
#include "engine/session/dlrm/int8_numbers.h"
#include "engine/session/dlrm/int8_pipeline.h"
#include "engine/session/dlrm/testing/cases.h"

namespace octavo {
namespace {

using testing::DlrmShape;
using testing::OwnedBatch;
using testing::ScoredCase;
using testing::shape_of;

std::vector<float> int8_scores(const std::shared_ptr<const DlrmData>& data, const DlrmBatch& batch,
                               std::string_view kernel, int threads = 1) {
  return testing::scores_of(data, batch, {DlrmPrecision::int8, threads, {}, std::string(kernel)});
}

const std::vector<ScoredCase>& cases() {
  static const std::vector<ScoredCase> kCases = [] {
    std::vector<ScoredCase> made;
    for (const testing::ShapeCase& c : testing::shape_cases()) {
      const auto data = testing::random_dlrm(c.shape);
      testing::calibrate(data, testing::random_batch(data->model, 200).view());
      made.emplace_back(c.name, data, testing::random_batches(data->model, c.batches), DlrmPrecision::int8);
    }
    return made;
  }();
  return kCases;
}

class FusedRow : public ::testing::TestWithParam<DlrmRow> {};

TEST_P(FusedRow, EqualsTheReferenceBitForBit) {
  const DlrmRow& row = GetParam();
  if (!implies(usable_isa(), row.needs)) GTEST_SKIP() << "NOT TESTED: needs " << isa_name(row.needs);
  for (const ScoredCase& c : cases()) c.expect_of(row.name);
}

INSTANTIATE_TEST_SUITE_P(Dlrm, FusedRow,
                         ::testing::ValuesIn(dlrm_int8_rows().begin(), dlrm_int8_rows().end()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(FusedRow, OfTilesEqualsTheReferenceThroughEmulation) {
  if (!implies(usable_isa(), Isa::avx512_vnni)) GTEST_SKIP() << "NOT TESTED: needs avx512_vnni";
  for (const ScoredCase& c : cases()) {
    c.expect_of(*prepare_int8(
        *c.data, {dlrm_input_avx512_vnni, dlrm_layer_emulated, dlrm_dots_emulated, dlrm_last_avx512_vnni},
        {gather_features_avx512, true, bag_sum_avx512, quantize_features_avx512}));
  }
}

TEST(FusedRow, GivesTheSameForManySamplesAndThreads) {
  const ScoredCase& c = cases()[0];
  const OwnedBatch batch = testing::random_batch(c.data->model, 1300);
  const std::vector<float> expected = int8_scores(c.data, batch.view(), "reference", 2);
  for (int threads : {1, 2, 3})
    EXPECT_EQ(int8_scores(c.data, batch.view(), "", threads), expected) << threads;
}

TEST(Int8, IsNearF32) {
  for (const ScoredCase& c : cases()) {
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

void expect_all_rows_equal(const ScoredCase& c) {
  for (const DlrmRow& row : dlrm_int8_rows()) {
    if (implies(usable_isa(), row.needs)) c.expect_of(row.name);
  }
}

TEST(Int8, QuantizesSingleRowsWhereBagsAreLarger) {
  for (std::int64_t dim : {48, 128}) {
    const auto data = testing::random_dlrm(shape_of(Interaction::dot, dim, 6, testing::all_row_formats()));
    testing::calibrate(data, testing::random_batch(data->model, 200, 3).view());
    const std::vector<bool> keeps = int8_numbers(*data).keeps_rows;
    EXPECT_EQ(std::count(keeps.begin(), keeps.end(), true), 0);
    expect_all_rows_equal({"bags", data, testing::random_batches(data->model, {37}), DlrmPrecision::int8});
  }
}

TEST(Int8, SurvivesRangesThatMakeNoSense) {
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 128, 6, testing::all_row_formats()));
  const OwnedBatch batch = testing::random_batch(data->model, 20);
  testing::calibrate(data, batch.view());
  DlrmCalibration& ranges = *data->model.calibration;
  for (float value : {0.0F, 1e-38F, 1e38F}) {
    ranges.dense = {-value, value};
    for (auto* each : {&ranges.bottom, &ranges.embeddings, &ranges.dots, &ranges.top})
      std::fill(each->begin(), each->end(), ValueRange{0, value});
    expect_all_rows_equal({"ranges", data, {batch}, DlrmPrecision::int8});
  }
}

/// Dwords of packed products that hold some.
std::int64_t used_quads(const DotFolds& dots) {
  std::set<std::int64_t> quads;
  for (std::int64_t lane : dots.places) quads.insert(lane / 4);
  return std::ssize(quads);
}

TEST(DotFolds, FillWholeQuadsAndLeaveTheLastOnesEmpty) {
  const DotFolds dots = fold_dots(27, false);
  ASSERT_EQ(dots.folds.size(), 24U);
  EXPECT_EQ(used_quads(dots), (27 * 26 / 2 + 3) / 4);
  for (std::int64_t step = 0; step < 6; ++step) {
    std::set<std::int32_t> seen;
    for (std::int64_t j = 0; j < 16; ++j) {
      const std::int32_t quad = dots.quad_order[static_cast<std::size_t>(16 * step + j)];
      seen.insert(quad);
      const auto fold = static_cast<std::size_t>(4 * step + quad % 4);
      const bool is_used = (dots.folds[fold].used >> (quad / 4 * 4) & 1U) != 0;
      EXPECT_EQ(is_used, 16 * step + j < used_quads(dots)) << step << ' ' << j;
    }
    EXPECT_EQ(seen.size(), 16U);
  }
}

TEST(DotFolds, PutEveryProductInAPlaceOfItsOwn) {
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
