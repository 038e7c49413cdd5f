#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

#include "base/cpu.h"
#include "base/testing.h"
#include "engine/kernels/dlrm/testing/emulated.h"
#include "engine/session/dlrm/bf16_pipeline.h"
#include "engine/session/dlrm/testing/cases.h"

namespace octavo {
namespace {

using testing::OwnedBatch;
using testing::ScoredCase;

std::vector<float> bf16_scores(const std::shared_ptr<const DlrmData>& data, const DlrmBatch& batch,
                               std::string_view kernel, int threads = 1) {
  return testing::scores_of(data, batch, {DlrmPrecision::bf16, threads, {}, std::string(kernel)});
}

/// Makes all sums of a model exact, in whatever order they are taken: they are whole numbers below 2^24. Each
/// output has three inputs, with weights -1 and 1; embeddings are -3 .. 3. With dense features 0 .. 7 and
/// bags of at most 3 rows, x stays below 8 * 4^3 and products below 2^18 (2^19 with themselves), which two
/// more layers bring to 2^23. The last layer's weights are 2^-12, so that scores differ.
void make_whole_numbers(DlrmData& data, unsigned seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  for (auto* layers : {&data.bottom, &data.top}) {
    for (DlrmLayer& layer : *layers) {
      const std::span<float> weights = layer.weights.as<float>(), bias = layer.bias.as<float>();
      const float unit = layers == &data.top && &layer == &layers->back() ? 0x1p-12F : 1.0F;
      const std::int64_t inputs = layer.weights.shape()[1];
      std::fill(weights.begin(), weights.end(), 0.0F);
      for (std::size_t n = 0; n < bias.size(); ++n) {
        bias[n] = unit * static_cast<float>(below(3) - 1);
        for (int i = 0; i < 3; ++i)
          weights[n * static_cast<std::size_t>(inputs) + static_cast<std::size_t>(below(inputs))] =
              below(2) == 0 ? unit : -unit;
      }
    }
  }
  for (std::size_t t = 0; t < data.model.tables.size(); ++t) {
    auto* const values = reinterpret_cast<float*>(data.tables.rows(t));
    for (std::int64_t i = 0; i < data.model.tables[t].rows * data.model.dim; ++i)
      values[i] = static_cast<float>(below(7) - 3);
  }
}

std::vector<ScoredCase> make_cases(bool are_whole) {
  std::vector<ScoredCase> made;
  for (testing::ShapeCase& c : testing::shape_cases()) {
    if (are_whole) c.shape.formats = {RowFormat::f32};
    const auto data = testing::random_dlrm(c.shape);
    std::vector<OwnedBatch> batches = testing::random_batches(data->model, c.batches);
    if (are_whole) {
      make_whole_numbers(*data, 5);
      for (OwnedBatch& batch : batches) {
        for (float& value : batch.dense) value = std::floor(value * 2.6F);
      }
    }
    made.emplace_back(c.name, data, std::move(batches), DlrmPrecision::bf16);
  }
  return made;
}

const std::vector<ScoredCase>& whole_cases() {
  static const std::vector<ScoredCase> kCases = make_cases(true);
  return kCases;
}

const std::vector<ScoredCase>& random_cases() {
  static const std::vector<ScoredCase> kCases = make_cases(false);
  return kCases;
}

/// Infinite where one is no number.
double largest_difference(std::span<const float> a, std::span<const double> b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(double{a[i]} - b[i]);
    largest = std::isnan(difference) ? HUGE_VAL : std::max(largest, difference);
  }
  return largest;
}

class Bf16Row : public ::testing::TestWithParam<DlrmRow> {
 protected:
  void SetUp() override {
    const DlrmRow& row = GetParam();
    if (!runs_here(row, usable_isa()))
      GTEST_SKIP() << "NOT TESTED: needs " << isa_name(row.needs) << " and " << feature_name(row.also_needs);
  }
};

TEST_P(Bf16Row, EqualsTheReferenceBitForBitWhereAllSumsAreExact) {
  for (const ScoredCase& c : whole_cases()) c.expect_of(GetParam().name);
}

// Two orders of one sum in f32 differ by some 2^-24 of its terms, which rarely moves an activation to the
// neighbouring bf16: far less than rounding every weight and activation by up to 2^-9 does. So a row may
// differ from the reference by a quarter of what the reference differs from the model in f64.
TEST_P(Bf16Row, DiffersFromTheReferenceFarLessThanBf16DoesFromTheModel) {
  for (const ScoredCase& c : random_cases()) {
    double by_order = 0, by_rounding = 0;
    for (std::size_t i = 0; i < c.batches.size(); ++i) {
      const auto exact = testing::plain_scores(*c.data, c.batches[i].view());
      by_rounding = std::max(by_rounding, largest_difference(c.expected[i], exact));
      const std::vector<double> expected(c.expected[i].begin(), c.expected[i].end());
      by_order = std::max(
          by_order, largest_difference(bf16_scores(c.data, c.batches[i].view(), GetParam().name), expected));
    }
    EXPECT_LE(by_order, by_rounding / 4) << c.name;
  }
}

TEST_P(Bf16Row, GivesTheSameBitsAtAnyBatchAndThreads) {
  const auto data = testing::random_dlrm(testing::shape_cases()[0].shape);
  const OwnedBatch whole = testing::random_batch(data->model, 300);
  const std::vector<float> expected = bf16_scores(data, whole.view(), GetParam().name);
  EXPECT_EQ(bf16_scores(data, whole.view(), GetParam().name, 3), expected);
  for (std::int64_t samples : {1, 5, 16, 17, 100}) {
    DlrmBatch part = whole.view();
    part.samples = samples;
    part.table_stride = whole.samples;
    part.dense = part.dense.first(static_cast<std::size_t>(samples * data->model.dense_features));
    EXPECT_EQ(bf16_scores(data, part, GetParam().name),
              std::vector<float>(expected.begin(), expected.begin() + samples))
        << samples;
  }
}

/// All but the reference.
std::span<const DlrmRow> rows() { return dlrm_bf16_rows().first(dlrm_bf16_rows().size() - 1); }

INSTANTIATE_TEST_SUITE_P(Dlrm, Bf16Row, ::testing::ValuesIn(rows().begin(), rows().end()),
                         [](const auto& row) { return std::string(row.param.name); });

// The f32 kernels add up in the order of the reference.
TEST(Bf16, OfF32KernelsEqualsTheReferenceBitForBit) {
  for (const ScoredCase& c : random_cases()) {
    for (const DlrmRow& row : rows()) {
      if (row.also_needs == CpuFeature::none && runs_here(row, usable_isa())) c.expect_of(row.name);
    }
  }
}

TEST(Bf16, OfTilesEqualsTheReferenceThroughEmulation) {
  if (!cpu_facts().has(CpuFeature::avx512_bf16)) GTEST_SKIP() << "NOT TESTED: needs avx512_bf16";
  for (const ScoredCase& c : whole_cases()) {
    c.expect_of(*prepare_bf16(
        *c.data,
        {dlrm_input_avx512_bf16, dlrm_bf16_layer_emulated, dlrm_bf16_dots_emulated, dlrm_last_avx512_bf16},
        {bag_sum_avx512, dlrm_codes_avx512_bf16, dlrm_round_avx512_bf16}));
  }
}

// Weights and activations are off by up to 2^-9; 0.014 was measured, on logits of some tens.
TEST(Bf16, IsNearTheModelInF64) {
  for (const ScoredCase& c : random_cases()) {
    for (std::size_t i = 0; i < c.batches.size(); ++i)
      EXPECT_LT(largest_difference(c.expected[i], testing::plain_scores(*c.data, c.batches[i].view())), 0.03)
          << c.text(i);
  }
}

TEST(Bf16, IsNearPyTorchOnTheSmallTrainedModel) {
  OCTAVO_NEED_TEST_DATA();
  const std::vector<float> expected = testing::small_dlrm_scores();
  const std::vector<float> scores =
      bf16_scores(testing::small_dlrm(RowFormat::f32), testing::small_dlrm_rows().view(), "");
  ASSERT_EQ(scores.size(), expected.size());
  EXPECT_LT(largest_difference(scores, std::vector<double>(expected.begin(), expected.end())), 2e-3);
}

TEST(Bf16, ForcedRowIsTheOneThatRuns) {
  const auto data = testing::random_dlrm({});
  DlrmSessionOptions options;
  options.precision = DlrmPrecision::bf16;
  for (const DlrmRow& row : dlrm_bf16_rows()) {
    if (!runs_here(row, usable_isa())) continue;
    options.kernel = row.name;
    EXPECT_EQ(DlrmSession(Dlrm(data), options).kernel(), row.name);
  }
}

TEST(Bf16, GivesNoNumberExactlyWhereARowHoldsNone) {
  const auto data = testing::random_dlrm({});
  const OwnedBatch batch = testing::random_batch(data->model, 5);
  reinterpret_cast<float*>(data->tables.rows(0))[batch.indices[2] * data->model.dim] = std::nanf("");
  for (const DlrmRow& row : dlrm_bf16_rows()) {
    if (!runs_here(row, usable_isa())) continue;
    const std::vector<float> scores = bf16_scores(data, batch.view(), row.name);
    for (std::size_t i = 0; i < scores.size(); ++i)
      EXPECT_EQ(std::isnan(scores[i]), batch.indices[i] == batch.indices[2]) << row.name << " sample " << i;
  }
}

TEST(Bf16, RefusesWeightsThatAreNotFinite) {
  const OwnedBatch batch = testing::random_batch(testing::random_dlrm({})->model, 3);
  for (float value : {std::nanf(""), std::numeric_limits<float>::max()}) {
    const auto data = testing::random_dlrm({});
    data->top[1].weights.as<float>()[5] = value;
    for (const DlrmRow& row : dlrm_bf16_rows()) {
      if (!runs_here(row, usable_isa())) continue;
      const std::string message =
          testing::error_of(ErrorCode::invalid_model, [&] { bf16_scores(data, batch.view(), row.name); });
      EXPECT_EQ(message.substr(0, 28), "layer 1 of the top MLP holds") << row.name;
    }
  }
}

}  // namespace
}  // namespace octavo
