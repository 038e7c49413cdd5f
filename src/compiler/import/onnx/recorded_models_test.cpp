#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "compiler/import/onnx/import.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;

fs::path data_folder() {
  const char* folder = std::getenv("OCTAVO_TEST_DATA");
  return folder != nullptr ? folder : "../shared/data";
}

std::map<std::string, int> op_counts(const Graph& graph) {
  std::map<std::string, int> counts;
  for (const Node& node : graph.nodes()) ++counts[std::string(node.op_name())];
  return counts;
}

struct Recorded {
  const char* file;
  std::map<std::string, int> ops;  ///< those that say what the network is; shape chains may fold or not
};

class RecordedOnnxModels : public testing::TestWithParam<Recorded> {};

TEST_P(RecordedOnnxModels, ImportWithTheExpectedOperators) {
  const fs::path path = data_folder() / GetParam().file;
  if (!fs::exists(path)) GTEST_SKIP() << "TEST DATA MISSING: " << path << " (set OCTAVO_TEST_DATA)";
  const Graph graph = import_onnx(path);
  EXPECT_NO_THROW(verify(graph));
  const auto counts = op_counts(graph);
  for (const auto& [op, count] : GetParam().ops) {
    EXPECT_EQ(counts.contains(op) ? counts.at(op) : 0, count) << op;
  }
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_TRUE(graph.type(graph.inputs[0]).shape[0] == Dim::batch());
  ASSERT_EQ(graph.outputs.size(), 1U);
  EXPECT_EQ(graph.outputs[0].name, "logits");
  EXPECT_TRUE(graph.type(graph.outputs[0].value).shape[0] == Dim::batch());
}

INSTANTIATE_TEST_SUITE_P(
    All, RecordedOnnxModels,
    testing::Values(
        Recorded{"cifar10_resnet20_f32.onnx",
                 {{"conv2d", 19}, {"relu", 19}, {"add", 9}, {"linear", 1}, {"pad", 2}}},
        Recorded{"efficientnet_lite0_f32.onnx",
                 {{"conv2d", 49}, {"clip", 33}, {"add", 9}, {"linear", 1}, {"pad", 5}}},
        Recorded{"cifar10_resnet20_int8_qdq.onnx",
                 {{"conv2d", 19}, {"add", 9}, {"linear", 1}, {"quantize", 38}, {"dequantize", 78}}},
        Recorded{"cifar10_resnet20_int8_qoperator.onnx",
                 {{"conv2d", 19}, {"add", 9}, {"linear", 1}, {"quantize", 3}, {"dequantize", 3}}},
        Recorded{"efficientnet_lite0_int8_qdq.onnx",
                 {{"conv2d", 49}, {"add", 9}, {"linear", 1}, {"quantize", 62}}},
        Recorded{"resnet50_int8_qdq.onnx",
                 {{"conv2d", 53}, {"add", 16}, {"linear", 1}, {"quantize", 74}, {"max_pool2d", 1}}}),
    [](const auto& which) {
      std::string name = which.param.file;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

}  // namespace
}  // namespace octavo
