#include "bench/session_instance.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/testing.h"
#include "bench/closed_loop.h"
#include "bench/testing/small_package.h"

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;

/// Samples 0, 1, 2 ...: each four times its number / 10.
std::shared_ptr<const Samples> numbered(std::int64_t count) {
  auto samples = std::make_shared<Samples>();
  samples->count = count;
  Tensor x(DType::f32, {count, 4});
  for (std::size_t i = 0; i < x.as<float>().size(); ++i) x.as<float>()[i] = static_cast<float>(i / 4) * 0.1F;
  samples->inputs.push_back(std::move(x));
  return samples;
}

float expected(std::int64_t sample) {
  const float e = std::exp(static_cast<float>(sample) * 0.1F);
  return e + std::exp(e);
}

TEST(SessionInstance, ScoresTheSamplesAskedFor) {
  SessionInstance instance(small_package(), {}, {1, {}}, numbered(6));
  for (const auto& [first, count, scored] : std::vector<std::array<std::int64_t, 3>>{
           {0, 2, 0}, {2, 2, 2}, {4, 2, 4}, {6, 2, 0}, {8, 2, 2}, {5, 2, 0}, {0, 6, 0}, {13, 1, 1}}) {
    EXPECT_EQ(instance.run(first, count), count);
    const std::vector<float> y = instance.first_output();
    ASSERT_EQ(y.size(), static_cast<std::size_t>(4 * count));
    EXPECT_NEAR(y.front(), expected(scored), 1e-4) << first << " " << count;
    EXPECT_NEAR(y.back(), expected(scored + count - 1), 1e-4) << first << " " << count;
  }
}

TEST(SessionInstance, RefusesMoreSamplesThanThereAre) {
  SessionInstance instance(small_package(), {}, {1, {}}, numbered(2));
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument, [&] { instance.run(0, 3); }),
              HasSubstr("3 samples at once, there are 2"));
}

TEST(SessionInstance, KnowsWhetherAModelTakesBatches) {
  EXPECT_TRUE(takes_batches(small_package()));
  EXPECT_FALSE(takes_batches(small_package(Batches::none)));
}

TEST(SessionInstance, RunsModelsWithoutABatch) {
  const Package package = small_package(Batches::none);
  const auto samples = std::make_shared<const Samples>(made_up_samples(package.inputs(), 1, 3));
  Instances instances;
  instances.push_back(start_sessions(package, {}, samples)({1, {}}));
  EXPECT_GT(run_closed_loop(instances, 1, {0.01, 0, 1}, {}).runs, 0);
}

TEST(Samples, AreTheSameForTheSameSeed) {
  const std::vector<PortInfo> ports{{"x", DType::f32, {1, 100}, true, {}},
                                    {"i", DType::s64, {1, 3}, true, {}}};
  const Samples a = made_up_samples(ports, 5, 7), b = made_up_samples(ports, 5, 7),
                c = made_up_samples(ports, 5, 8);
  EXPECT_EQ(a.inputs[0].shape(), (std::vector<std::int64_t>{5, 100}));
  const auto values = [](const Samples& s) {
    return std::vector<float>(s.inputs[0].as<float>().begin(), s.inputs[0].as<float>().end());
  };
  EXPECT_EQ(values(a), values(b));
  EXPECT_NE(values(a), values(c));
  for (std::int64_t v : a.inputs[1].as<std::int64_t>()) EXPECT_TRUE(v == 0 || v == 1);
}

TEST(Samples, AreRepeatedUntilThereAreEnough) {
  const std::vector<PortInfo> ports{{"x", DType::f32, {1, 4}, true, {}}};
  const Samples few = *numbered(2);
  const Samples many = repeated(ports, few, 5);
  EXPECT_EQ(many.count, 6);
  for (std::size_t i = 0; i < 24; ++i)
    EXPECT_EQ(many.inputs[0].as<float>()[i], few.inputs[0].as<float>()[i % 8]);
  EXPECT_EQ(repeated(ports, few, 2).count, 2);
}

}  // namespace
}  // namespace octavo::bench
