#include "bench/dlrm_instance.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "base/testing.h"
#include "bench/offline.h"
#include "engine/session/dlrm/pipeline.h"

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;

/// score = sigmoid(dense feature + the row's only element), with row r holding r.
Dlrm adding_model(std::int64_t rows) {
  DlrmModel model{"adding", 1, 1, {1}, {1}, Interaction::cat, {{rows, RowFormat::f32, 1.0F, {}, 0}}, {}};
  const auto ones = [](std::int64_t inputs) {
    DlrmLayer layer{Tensor(DType::f32, {1, inputs}), Tensor(DType::f32, {1})};
    std::fill(layer.weights.as<float>().begin(), layer.weights.as<float>().end(), 1.0F);
    return layer;
  };
  Tables tables = Tables::zeros(model);
  auto* const values = reinterpret_cast<float*>(tables.rows(0));
  for (std::int64_t i = 0; i < rows; ++i) values[i] = static_cast<float>(i);
  std::vector<DlrmLayer> bottom, top;
  bottom.push_back(ones(1));
  top.push_back(ones(2));
  return Dlrm(std::make_shared<const DlrmData>(
      DlrmData{std::move(model), std::move(bottom), std::move(top), std::move(tables)}));
}

float expected(float dense, std::int64_t row) {
  return 1 / (1 + std::exp(-(dense + static_cast<float>(row))));
}

TEST(DlrmInstance, ScoresThePairsOfTheSamplesAskedFor) {
  auto pairs = std::make_shared<PairSet>();
  *pairs = {5, {0.0F, 0.1F, 0.2F, 0.3F, 0.4F}, {0, 1, 2, 0, 1}, {0, 2, 3, 5}};
  DlrmInstance instance(adding_model(3), {}, {1, {}}, pairs);
  EXPECT_EQ(instance.run(1, 2), 3);
  ASSERT_EQ(instance.scores().size(), 3U);
  EXPECT_FLOAT_EQ(instance.scores()[0], expected(0.2F, 2));
  EXPECT_FLOAT_EQ(instance.scores()[2], expected(0.4F, 1));
  EXPECT_EQ(instance.run(2, 2), 3) << "goes over the end: begins at the beginning";
  EXPECT_FLOAT_EQ(instance.scores()[0], expected(0.0F, 0));
  EXPECT_EQ(instance.run(5, 1), 2);
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument, [&] { instance.run(0, 4); }),
              HasSubstr("4 samples at once, there are 3"));
}

TEST(MadeUpPairs, AreAggregatedAsMlperfHasThem) {
  const PairSet set = made_up_pairs(adding_model(9), 2000, {0.0, true, 5});
  std::int64_t fewest = 1000, most = 0;
  for (std::size_t i = 0; i + 1 < set.starts.size(); ++i) {
    fewest = std::min(fewest, set.starts[i + 1] - set.starts[i]);
    most = std::max(most, set.starts[i + 1] - set.starts[i]);
  }
  EXPECT_GE(fewest, 100);
  EXPECT_LE(most, 700);
  EXPECT_NEAR(static_cast<double>(set.pairs) / 2000, 270, 10);
  EXPECT_EQ(made_up_pairs(adding_model(9), 2000, {0.0, true, 5}).indices, set.indices);
}

TEST(MadeUpPairs, AreUniformOrZipfDistributed) {
  const Dlrm model = adding_model(1000);
  for (double zipf : {0.0, 1.0, 1.05}) {
    std::map<std::int64_t, int> counts;
    for (std::int64_t row : made_up_pairs(model, 20000, {zipf, false, 3}).indices) ++counts[row];
    EXPECT_GE(counts.begin()->first, 0);
    EXPECT_LT(counts.rbegin()->first, 1000);
    int largest = 0;
    for (const auto& [row, count] : counts) largest = std::max(largest, count);
    if (zipf == 0.0) {
      EXPECT_LT(largest, 60);
    } else {
      EXPECT_GT(largest, 1500);
    }
  }
}

}  // namespace
}  // namespace octavo::bench
