#include "compiler/import/synthetic/resnet50.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "compiler/import/synthetic/generated_weights.h"

namespace octavo {
namespace {

std::int64_t weights_in(const Graph& graph) {
  std::int64_t count = 0;
  for (const Value& value : graph.values()) {
    if (value.constant && value.type.dtype == DType::s8) count += value.constant->elements();
  }
  return count;
}

const Tensor& constant(const Graph& graph, std::string_view name) {
  const auto& values = graph.values();
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const Value& v) { return v.name == name; });
  return found->constant.value();
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.bytes())) == 0;
}

TEST(SyntheticResNet50, HasTheWeightsAndLayersOfTheRealOne) {
  const Graph graph = synthetic_resnet50();
  verify(graph);
  EXPECT_EQ(weights_in(graph), 25'502'912);
  const auto count = [&](std::string_view op) {
    return std::count_if(graph.nodes().begin(), graph.nodes().end(),
                         [&](const Node& node) { return node.op_name() == op; });
  };
  EXPECT_EQ(count("conv2d"), 53);
  EXPECT_EQ(count("add"), 16);
  EXPECT_EQ(count("linear"), 1);
  EXPECT_EQ(shape_text(graph.type(graph.outputs[0].value).shape), "[N,1000]");
}

TEST(SyntheticResNet50, TheSeedDecidesTheWeights) {
  const Graph one = synthetic_resnet50(1);
  EXPECT_TRUE(same_bytes(constant(one, "fc.weight"), constant(synthetic_resnet50(1), "fc.weight")));
  EXPECT_FALSE(same_bytes(constant(one, "fc.weight"), constant(synthetic_resnet50(2), "fc.weight")));
}

TEST(RandomBits, AreTheSplitMix64Sequence) { EXPECT_EQ(RandomBits(0).next(), 0xE220A8397B1DCDAFU); }

TEST(GeneratedWeights, HaveTheDeviationPromisedAndNoMean) {
  RandomBits random(1);
  const Tensor weights = generated_weights({8, 4096}, random);
  for (std::size_t c = 0; c < 8; ++c) {
    double sum = 0.0, squares = 0.0;
    for (const std::int8_t w : weights.as<std::int8_t>().subspan(c * 4096, 4096)) {
      EXPECT_GE(w, -127);
      sum += w;
      squares += static_cast<double>(w) * w;
    }
    EXPECT_LT(std::abs(sum / 4096), 0.6);
    EXPECT_NEAR(std::sqrt(squares / 4096), kGeneratedDeviation, 2.0);
  }
}

}  // namespace
}  // namespace octavo
