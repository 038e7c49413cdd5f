#include "engine/session/dlrm/testing/cases.h"

#include <gtest/gtest.h>

#include <utility>

#include "base/memory_region.h"
#include "engine/kernels/amx/testing/emulated_tiles.h"

namespace octavo::testing {

DlrmShape shape_of(Interaction interaction, std::int64_t dim, std::size_t tables,
                   std::vector<RowFormat> formats) {
  DlrmShape shape;
  shape.interaction = interaction;
  shape.dim = dim;
  shape.bottom = {70, dim};
  shape.top = {130, 33, 1};
  shape.formats = std::move(formats);
  shape.rows.clear();
  for (std::size_t t = 0; t < tables; ++t) shape.rows.push_back(static_cast<std::int64_t>(3 + 7 * t));
  return shape;
}

std::vector<RowFormat> all_row_formats() {
  return {RowFormat::s4_codebook, RowFormat::s8_row, RowFormat::f16,
          RowFormat::s8_table,    RowFormat::s4_row, RowFormat::f32};
}

std::vector<ShapeCase> shape_cases() {
  const std::vector<RowFormat> s8{RowFormat::s8_table}, s4{RowFormat::s4_codebook};
  const std::vector<RowFormat> mixed = all_row_formats();
  DlrmShape one_layer = shape_of(Interaction::dot, 32, 5, s8);
  one_layer.top = {1};
  DlrmShape deep = shape_of(Interaction::dot, 128, 26, s4);
  deep.bottom = {512, 256, 128};
  deep.top = {1024, 300, 1};
  DlrmShape many_features = shape_of(Interaction::dot, 16, 3, mixed);
  many_features.dense_features = 70;
  return {
      {"4-bit, 26 tables", shape_of(Interaction::dot, 128, 26, s4), {1, 2, 16, 17, 100}},
      {"bytes, 26 tables", shape_of(Interaction::dot, 64, 26, s8), {1, 15, 33}},
      {"all formats", shape_of(Interaction::dot, 48, 12, mixed), {3, 31, 64, 130}},
      {"all formats, 128 wide", shape_of(Interaction::dot, 128, 12, mixed), {1, 37}},
      {"with self", shape_of(Interaction::dot_with_self, 33, 31, mixed), {5, 40}},
      {"concatenated", shape_of(Interaction::cat, 20, 7, mixed), {1, 70}},
      {"50 tables", shape_of(Interaction::dot, 16, 50, mixed), {2, 19}},
      {"no tables", shape_of(Interaction::dot, 16, 0, s8), {2, 19}},
      {"one layer on top", one_layer, {1, 37}},
      {"deep", deep, {8, 97}},
      {"70 features", many_features, {9}},
  };
}

std::vector<OwnedBatch> random_batches(const DlrmModel& model, const std::vector<std::int64_t>& samples) {
  std::vector<OwnedBatch> batches;
  for (std::int64_t count : samples) {
    for (std::int64_t most_in_bag : {0, 3}) batches.push_back(random_batch(model, count, most_in_bag, 9));
  }
  return batches;
}

ScoredCase::ScoredCase(std::string name_in, std::shared_ptr<DlrmData> data_in,
                       std::vector<OwnedBatch> batches_in, DlrmPrecision precision_in)
    : name(std::move(name_in)),
      data(std::move(data_in)),
      batches(std::move(batches_in)),
      precision(precision_in) {
  for (const OwnedBatch& batch : batches)
    expected.push_back(scores_of(data, batch.view(), {precision, 1, {}, "reference"}));
}

void ScoredCase::expect_of(std::string_view kernel) const {
  const DlrmSessionOptions options{precision, 1, {}, std::string(kernel)};
  for (std::size_t i = 0; i < batches.size(); ++i)
    EXPECT_EQ(scores_of(data, batches[i].view(), options), expected[i]) << kernel << ": " << text(i);
}

void ScoredCase::expect_of(const DlrmPipeline& pipeline) const {
  const MemoryRegion scratch = MemoryRegion::zeros(pipeline.scratch_bytes());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    std::vector<float> scores(expected[i].size());
    const DlrmBatch batch = batches[i].view();
    pipeline.run({&batch, 0, batch.samples, scores.data()}, scratch.data());
    EXPECT_EQ(scores, expected[i]) << text(i);
    EXPECT_EQ(emulated::take_fault(), "");
  }
}

std::string ScoredCase::text(std::size_t i) const {
  return name + ", " + std::to_string(batches[i].samples) + " samples" +
         (batches[i].offsets.empty() ? "" : " in bags");
}

}  // namespace octavo::testing
