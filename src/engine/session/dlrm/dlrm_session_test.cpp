#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "base/cpu.h"
#include "base/crc32c.h"
#include "base/testing.h"
#include "engine/session/dlrm/float_pipeline.h"
#include "engine/session/dlrm/int8_pipeline.h"
#include "engine/session/dlrm/testing/models.h"

namespace octavo {
namespace {

using testing::DlrmShape;
using testing::OwnedBatch;
using testing::scores_of;

constexpr RowFormat kAllFormats[] = {RowFormat::f32,    RowFormat::f16,    RowFormat::s8_table,
                                     RowFormat::s8_row, RowFormat::s4_row, RowFormat::s4_codebook};

DlrmShape shape_of(Interaction interaction, std::int64_t dim) {
  DlrmShape shape;
  shape.interaction = interaction;
  shape.dim = dim;
  shape.bottom = {20, dim};
  shape.formats.assign(std::begin(kAllFormats), std::end(kAllFormats));
  shape.rows = {40, 7, 300, 1, 12, 90, 8};
  return shape;
}

double largest_relative_error(std::span<const float> scores, std::span<const double> expected) {
  double largest = 0;
  for (std::size_t i = 0; i < scores.size(); ++i)
    largest = std::max(largest, std::fabs(double{scores[i]} - expected[i]) / expected[i]);
  return largest;
}

/// A score's relative error is its logit's absolute one: made-up models have logits of some tens.
constexpr double kTolerance = 5e-5;

TEST(DlrmSession, GivesWhatTheDefinitionGives) {
  for (Interaction interaction : {Interaction::dot, Interaction::dot_with_self, Interaction::cat}) {
    for (std::int64_t dim : {1, 16, 33}) {
      const auto data = testing::random_dlrm(shape_of(interaction, dim));
      for (std::int64_t most_in_bag : {0, 4}) {
        const OwnedBatch batch = testing::random_batch(data->model, 21, most_in_bag);
        const auto expected = testing::plain_scores(*data, batch.view());
        EXPECT_LT(largest_relative_error(scores_of(data, batch.view()), expected), kTolerance)
            << interaction_name(interaction) << " dim " << dim << " bags " << most_in_bag;
      }
    }
  }
}

TEST(DlrmSession, TakesMoreTablesThanAPanelHas) {
  DlrmShape shape;
  shape.rows.assign(70, 5);
  const auto data = testing::random_dlrm(shape);
  const OwnedBatch batch = testing::random_batch(data->model, 5);
  EXPECT_LT(largest_relative_error(scores_of(data, batch.view()), testing::plain_scores(*data, batch.view())),
            1e-5);
}

TEST(DlrmSession, GivesTheSameBitsOnEveryIsaAtAnyBatchAndThreads) {
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 32));
  const OwnedBatch batch = testing::random_batch(data->model, 333, 3);
  DlrmSessionOptions reference;
  reference.kernel = "reference";
  const std::vector<float> expected = scores_of(data, batch.view(), reference);
  for (const DlrmRow& row : dlrm_f32_rows()) {
    if (!implies(usable_isa(), row.needs)) continue;
    for (int threads : {1, 3}) {
      DlrmSessionOptions options;
      options.kernel = row.name;
      options.threads = threads;
      EXPECT_EQ(scores_of(data, batch.view(), options), expected) << row.name << " threads " << threads;
    }
  }
}

TEST(DlrmSession, GivesNoNumberExactlyWhereARowHoldsNone) {
  const auto data = testing::random_dlrm({});
  const OwnedBatch batch = testing::random_batch(data->model, 5);
  reinterpret_cast<float*>(data->tables.rows(0))[batch.indices[2] * data->model.dim] = std::nanf("");
  for (const DlrmRow& row : dlrm_f32_rows()) {
    if (!implies(usable_isa(), row.needs)) continue;
    DlrmSessionOptions options;
    options.kernel = row.name;
    const std::vector<float> scores = scores_of(data, batch.view(), options);
    for (std::size_t i = 0; i < scores.size(); ++i)
      EXPECT_EQ(std::isnan(scores[i]), batch.indices[i] == batch.indices[2]) << row.name << " sample " << i;
  }
}

TEST(DlrmSession, ForcedRowIsTheOneThatRuns) {
  const auto data = testing::random_dlrm({});
  for (const DlrmRow& row : dlrm_f32_rows()) {
    if (!implies(usable_isa(), row.needs)) continue;
    DlrmSessionOptions options;
    options.kernel = row.name;
    EXPECT_EQ(DlrmSession(Dlrm(data), options).kernel(), row.name);
  }
  DlrmSessionOptions options;
  options.kernel = "fast";
  EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument, [&] { DlrmSession(Dlrm(data), options); }),
            "there is no kernel 'fast'; there are avx512, avx2, reference");
}

TEST(DlrmSession, RefusesAPrecisionThatThereIsNot) {
  DlrmSessionOptions options;
  options.precision = static_cast<DlrmPrecision>(9);
  EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument,
                              [&] { DlrmSession(Dlrm(testing::random_dlrm({})), options); }),
            "there is no precision 9");
}

TEST(DlrmSession, RefusesAForcedRowThatTheIsaInUseCannotRun) {
  const auto data = testing::random_dlrm({});
  const char* before = std::getenv("OCTAVO_ISA");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("OCTAVO_ISA", "generic", 1);
  DlrmSessionOptions options;
  options.kernel = "avx2";
  EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument, [&] { DlrmSession(Dlrm(data), options); }),
            "kernel 'avx2' needs avx2, which is not in use here");
  EXPECT_EQ(DlrmSession{Dlrm(data)}.kernel(), "reference");
  ::setenv("OCTAVO_ISA", kept.c_str(), 1);
}

TEST(DlrmCalibrator, RefusesActivationsThatAreNotFinite) {
  const auto data = testing::random_dlrm({});
  data->bottom[0].weights.as<float>()[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(
      testing::error_of(ErrorCode::invalid_model,
                        [&] { testing::calibrate(data, testing::random_batch(data->model, 40).view()); }),
      "a value is inf");
}

TEST(DlrmSession, ScoresNoSamples) {
  const auto data = testing::random_dlrm({});
  EXPECT_EQ(scores_of(data, DlrmBatch{}).size(), 0U);
}

TEST(DlrmSession, NamesWhatIsWrongWithABatch) {
  const auto data = testing::random_dlrm({});
  const auto message = [&](auto&& change, std::int64_t bags = 0) {
    OwnedBatch batch = testing::random_batch(data->model, 200, bags);
    change(batch);
    return testing::error_of(ErrorCode::invalid_argument, [&] { scores_of(data, batch.view()); });
  };
  EXPECT_EQ(message([](OwnedBatch& b) { b.indices[200 + 130] = 7; }),
            "sample 130: index 7 of table 1 is not in 0..6");
  EXPECT_EQ(message([](OwnedBatch& b) { b.indices[199] = -1; }),
            "sample 199: index -1 of table 0 is not in 0..39");
  EXPECT_EQ(message([](OwnedBatch& b) { b.indices[400] = std::numeric_limits<std::int64_t>::max(); }),
            "sample 0: index 9223372036854775807 of table 2 is not in 0..299");
  EXPECT_EQ(message([](OwnedBatch& b) { b.dense[13 * 150 + 4] = -std::numeric_limits<float>::infinity(); }),
            "sample 150: dense feature 4 is -inf");
  EXPECT_EQ(message([](OwnedBatch& b) { b.dense[0] = std::nanf(""); }), "sample 0: dense feature 0 is nan");
  EXPECT_EQ(message([](OwnedBatch& b) { b.dense.pop_back(); }),
            "2599 dense features, expected 13 for each of 200 samples");
  EXPECT_EQ(message([](OwnedBatch& b) { b.indices.push_back(0); }),
            "601 indices, expected one for each of 3 tables and 200 samples");
  EXPECT_EQ(message([](OwnedBatch& b) { b.samples = -1; }), "a batch of -1 samples");
  EXPECT_EQ(message([](OwnedBatch& b) { b.offsets.pop_back(); }, 2),
            "602 offsets, expected 201 for each of 3 tables");
  EXPECT_EQ(
      message([](OwnedBatch& b) { b.indices.resize(static_cast<std::size_t>(b.offsets.back() - 1)); }, 2)
          .substr(0, 20),
      "table 2: offset " + std::to_string(testing::random_batch(data->model, 200, 2).offsets.back()) + " ");
  EXPECT_EQ(message([](OwnedBatch& b) { b.offsets[202] = 0; }, 2).substr(0, 30),
            "table 1: offset 0 of sample 1 ");
}

TEST(DlrmSession, TakesAPartOfALargerBatch) {
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 32));
  const OwnedBatch whole = testing::random_batch(data->model, 100);
  testing::calibrate(data, whole.view());
  for (DlrmPrecision precision : {DlrmPrecision::f32, DlrmPrecision::int8, DlrmPrecision::bf16}) {
    DlrmSessionOptions options;
    options.precision = precision;
    const std::vector<float> all = scores_of(data, whole.view(), options);
    DlrmBatch part{30,
                   std::span(whole.dense).subspan(std::size_t{13} * 40, std::size_t{13} * 30),
                   std::span(whole.indices).subspan(40),
                   {}};
    part.table_stride = 100;
    EXPECT_EQ(scores_of(data, part, options), std::vector<float>(all.begin() + 40, all.begin() + 70));
    part.table_stride = 29;
    EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument, [&] { scores_of(data, part, options); }),
              "a stride of 29 indices from table to table, for 30 samples");
    part.table_stride = 120;
    EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument, [&] { scores_of(data, part, options); }),
              "660 indices, expected 750 for 7 tables 120 apart");
  }
}

TEST(DlrmSession, TracesEveryStageOfEveryChunkWithEveryRow) {
  for (Interaction interaction : {Interaction::dot, Interaction::cat}) {
    const auto data = testing::random_dlrm(shape_of(interaction, 32));
    const OwnedBatch batch = testing::random_batch(data->model, 1030, 2);
    testing::calibrate(data, batch.view());
    for (DlrmPrecision precision : {DlrmPrecision::f32, DlrmPrecision::int8, DlrmPrecision::bf16}) {
      for (const DlrmRow& row : dlrm_rows(precision)) {
        if (!runs_here(row, usable_isa())) continue;
        const DlrmSessionOptions options{precision, 2, {}, std::string(row.name)};
        DlrmSession session(Dlrm(data), options);
        std::vector<float> scores(1030);
        const std::vector<StepEvent> events = session.score_traced(batch.view(), scores);
        EXPECT_EQ(scores, scores_of(data, batch.view(), options)) << row.name;
        const std::size_t stages = session.stages().size();
        ASSERT_GE(events.size(), 7 * stages) << row.name << ": chunks for threads to take by turns";
        ASSERT_EQ(events.size() % stages, 0U) << row.name;
        for (std::size_t i = 0; i < events.size(); ++i) {
          ASSERT_EQ(events[i].step, static_cast<std::int32_t>(i % stages)) << row.name << " event " << i;
          ASSERT_LT(events[i].thread, 2);
          ASSERT_LE(events[i].begin_ns, events[i].end_ns);
          ASSERT_EQ(events[i].done_ns, events[i].end_ns);
          if (i % stages == 0) continue;
          ASSERT_EQ(events[i].thread, events[i - 1].thread) << row.name << " event " << i;
          ASSERT_EQ(events[i].begin_ns, events[i - 1].end_ns);
        }
      }
    }
  }
}

TEST(DlrmSession, GivesTheSameBitsHoweverManySamplesGoThroughAtATime) {
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 32));
  const OwnedBatch batch = testing::random_batch(data->model, 300, 2);
  testing::calibrate(data, batch.view());
  for (DlrmPrecision precision : {DlrmPrecision::f32, DlrmPrecision::int8}) {
    DlrmSessionOptions options;
    options.precision = precision;
    const std::vector<float> expected = scores_of(data, batch.view(), options);
    const std::int64_t most = DlrmSession(Dlrm(data), options).samples_per_pass();
    for (std::int64_t samples : {1, 33, 100000}) {
      options.samples_per_pass = samples;
      EXPECT_EQ(scores_of(data, batch.view(), options), expected) << samples;
      EXPECT_EQ(DlrmSession(Dlrm(data), options).samples_per_pass(), std::min(samples, most));
    }
    options.samples_per_pass = -1;
    EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument, [&] { DlrmSession(Dlrm(data), options); }),
              "-1 samples at a time");
  }
}

TEST(DlrmSession, FollowsItsTuningUnlessToldOtherwise) {
  const auto data = testing::random_dlrm({});
  const std::string usual = DlrmSession{Dlrm(data)}.kernel();
  const std::string isa(isa_name(usable_isa()));
  set_tuning(data->model, {"f32", isa, "reference", 17, 1, 1, 0});
  EXPECT_EQ(DlrmSession{Dlrm(data)}.kernel(), "reference");
  EXPECT_EQ(DlrmSession{Dlrm(data)}.samples_per_pass(), 17);
  DlrmSessionOptions options;
  options.kernel = usual;
  EXPECT_EQ(DlrmSession(Dlrm(data), options).kernel(), usual);
  EXPECT_NE(DlrmSession(Dlrm(data), options).samples_per_pass(), 17);
  options = {};
  options.samples_per_pass = 5;
  EXPECT_EQ(DlrmSession(Dlrm(data), options).kernel(), usual);
  EXPECT_EQ(DlrmSession(Dlrm(data), options).samples_per_pass(), 5);
  set_tuning(data->model, {"f32", isa, "of_tomorrow", 17, 1, 1, 0});
  EXPECT_EQ(DlrmSession{Dlrm(data)}.kernel(), usual) << "a row that is not there is not followed";
  data->model.tunings = {{"f32", "of_elsewhere", "reference", 17, 1, 1, 0},
                         {"int8", isa, "reference", 17, 1, 1, 0}};
  EXPECT_EQ(DlrmSession{Dlrm(data)}.kernel(), usual);
}

TEST(DlrmCalibrator, RemembersTheLargestBag) {
  const auto data = testing::random_dlrm({});
  testing::calibrate(data, testing::random_batch(data->model, 40).view());
  EXPECT_EQ(data->model.calibration->largest_bag, 1);
  testing::calibrate(data, testing::random_batch(data->model, 200, 4).view());
  EXPECT_EQ(data->model.calibration->largest_bag, 4);
}

TEST(DlrmSession, NamesItsStagesInTheOrderOfTime) {
  const auto data = testing::random_dlrm({});
  EXPECT_EQ(DlrmSession{Dlrm(data)}.stages(),
            (std::vector<std::string>{"check", "bottom.0", "bottom.1", "gather", "interaction", "top.0",
                                      "top.1", "top.2", "sigmoid"}));
}

TEST(DlrmSession, ScoresOnAfterATracedRunThatFailed) {
  const auto data = testing::random_dlrm({});
  OwnedBatch batch = testing::random_batch(data->model, 200);
  const std::vector<float> expected = scores_of(data, batch.view());
  DlrmSession session{Dlrm(data)};
  std::vector<float> scores(200);
  EXPECT_TRUE(session.score_traced(DlrmBatch{}, {}).empty());
  const std::int64_t index = std::exchange(batch.indices[330], 7);
  EXPECT_EQ(
      testing::error_of(ErrorCode::invalid_argument, [&] { session.score_traced(batch.view(), scores); }),
      "sample 130: index 7 of table 1 is not in 0..6");
  batch.indices[330] = index;
  session.score(batch.view(), scores);
  EXPECT_EQ(scores, expected);
}

TEST(DlrmSession, RefusesRoomForAnotherNumberOfScores) {
  const auto data = testing::random_dlrm({});
  const OwnedBatch batch = testing::random_batch(data->model, 3);
  DlrmSession session{Dlrm(data)};
  std::vector<float> scores(2);
  EXPECT_EQ(testing::error_of(ErrorCode::invalid_argument, [&] { session.score(batch.view(), scores); }),
            "room for 2 scores, expected 3");
}

/// A package on disk of a model in memory.
void write_package(const std::filesystem::path& folder, const DlrmData& data) {
  DlrmPackage package;
  package.folder = folder;
  package.model = data.model;
  package.bottom = data.bottom;
  package.top = data.top;
  for (std::size_t t = 0; t < data.model.tables.size(); ++t) {
    const std::span<const std::byte> rows(data.tables.views()[t].data,
                                          static_cast<std::size_t>(table_bytes(data.model, t)));
    package.model.tables[t].crc32c = crc32c(rows);
    testing::write_file(package.table_path(t), rows);
  }
  write_dlrm_layers(folder, data.bottom, data.top);
  write_dlrm_manifest(package);
}

TEST(Dlrm, FromAPackageGivesTheSameScoresInMemoryAndMapped) {
  const testing::TemporaryFolder folder;
  const auto data = testing::random_dlrm(shape_of(Interaction::dot, 32));
  const OwnedBatch batch = testing::random_batch(data->model, 50);
  testing::calibrate(data, batch.view());
  write_package(folder.path(), *data);
  for (TablePlace place : {TablePlace::memory, TablePlace::mapped}) {
    const Dlrm opened = Dlrm::open(folder.path(), place, 2);
    EXPECT_EQ(opened.rows(), Dlrm(data).rows());
    EXPECT_TRUE(opened.is_calibrated());
    for (DlrmPrecision precision : {DlrmPrecision::f32, DlrmPrecision::int8, DlrmPrecision::bf16}) {
      DlrmSessionOptions options;
      options.precision = precision;
      std::vector<float> scores(50);
      DlrmSession(opened, options).score(batch.view(), scores);
      EXPECT_EQ(scores, scores_of(data, batch.view(), options));
    }
  }
}

TEST(Dlrm, SaysThatAMappedTableWasCut) {
  const testing::TemporaryFolder folder;
  DlrmShape shape;
  shape.rows = {5000};
  const auto data = testing::random_dlrm(shape);
  write_package(folder.path(), *data);
  DlrmSession session(Dlrm::open(folder.path(), TablePlace::mapped));
  const std::string file = (folder / "tables/0.f32").string();
  std::filesystem::resize_file(file, 4096);
  OwnedBatch batch = testing::random_batch(data->model, 1);
  batch.indices = {4000};
  std::vector<float> scores(1);
  EXPECT_EQ(testing::error_of(ErrorCode::io, [&] { session.score(batch.view(), scores); }),
            "'" + file + "' was cut while it was in use: byte 512000 is gone");
}

TEST(DlrmSession, EqualsPyTorchOnTheSmallTrainedModel) {
  OCTAVO_NEED_TEST_DATA();
  const OwnedBatch batch = testing::small_dlrm_rows();
  const std::vector<float> expected = testing::small_dlrm_scores();
  const std::vector<float> scores = scores_of(testing::small_dlrm(RowFormat::f32), batch.view());
  ASSERT_EQ(scores.size(), expected.size());
  EXPECT_LT(largest_relative_error(scores, std::vector<double>(expected.begin(), expected.end())), 1e-5);
}

}  // namespace
}  // namespace octavo
