#include "cli/demo_resnet50.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "compiler/compile_graph.h"
#include "compiler/import/synthetic/generated_weights.h"
#include "compiler/import/synthetic/resnet50.h"

namespace octavo::cli {
namespace {

Tensor noise(std::int64_t pictures) {
  Tensor noise(DType::f32, {pictures, 3, 224, 224});
  RandomBits random(3);
  for (float& x : noise.as<float>()) x = static_cast<float>(-2.1 + 4.7 * random.fraction());
  return noise;
}

/// The places whose results a block hands on.
std::vector<std::string> block_outputs(const Graph& graph) {
  std::vector<std::string> places;
  for (const Node& node : graph.nodes()) {
    if (node.origin.ends_with(".add")) places.push_back(node.origin);
  }
  return places;
}

double share(const TensorView& tensor, std::uint8_t value) {
  const auto bytes = tensor.as<std::uint8_t>();
  return static_cast<double>(std::count(bytes.begin(), bytes.end(), value)) /
         static_cast<double>(bytes.size());
}

TEST(SyntheticResNet50, ActivationsUseTheirRangeAndDependOnThePicture) {
  Graph graph = synthetic_resnet50();
  CompileOptions options;
  options.layer_outputs = block_outputs(graph);
  const Package package = compile_graph(std::move(graph), options, {});
  Session session(package);
  const Tensor pictures = noise(2);
  session.set_input("x", pictures.view());
  session.run();

  for (const std::string& place : options.layer_outputs) {
    const TensorView result = session.output(place);
    const auto bytes = result.as<std::uint8_t>();
    EXPECT_GT(std::set<std::uint8_t>(bytes.begin(), bytes.end()).size(), 120U) << place;
    EXPECT_LT(share(result, 0), 0.6) << place;
    EXPECT_LT(share(result, 255), 0.03) << place;
  }
  const auto logits = session.output("output").as<float>();
  EXPECT_GT(std::set<float>(logits.begin(), logits.end()).size(), 64U);
  std::int64_t unlike = 0;
  for (std::size_t c = 0; c < 1000; ++c) unlike += logits[c] != logits[1000 + c] ? 1 : 0;
  EXPECT_GT(unlike, 800);
}

TEST(TeraOperations, CountAMultiplicationAndAnAddition) {
  bench::Measured measured;
  measured.latency.add(8'000'000);
  EXPECT_NEAR(tera_operations(4'000'000'000, measured), 1.0, 1e-3);
}

}  // namespace
}  // namespace octavo::cli
