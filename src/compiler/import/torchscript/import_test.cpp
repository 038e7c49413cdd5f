#include "compiler/import/torchscript/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "compiler/import/torchscript/test_files.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
using torchscript::bytes_of;

using Counts = std::map<std::string, int>;

Counts counts_of(const Graph& graph) {
  Counts counts;
  for (const Node& node : graph.nodes()) ++counts[std::string(node.op_name())];
  return counts;
}

std::filesystem::path fixture(std::string_view name) {
  return std::filesystem::path("tests/golden/torchscript") / (std::string(name) + ".pt");
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Counts import_fixture(std::string_view name, std::vector<std::int64_t> shape) {
  const Graph graph = import_torchscript(fixture(name), {{{"x", std::move(shape)}}});
  verify(graph);
  return counts_of(graph);
}

TEST(TorchScriptImport, GivesTheSameGraphForEveryFormOfAFile) {
  const Counts residual{{"adaptive_avg_pool2d", 1},
                        {"add", 3},
                        {"avg_pool2d", 2},
                        {"conv2d", 5},
                        {"dequantize", 1},
                        {"linear", 2},
                        {"max_pool2d", 1},
                        {"pad", 1},
                        {"quantize", 1},
                        {"reshape", 1},
                        {"slice", 2}};
  EXPECT_EQ(import_fixture("residual_traced", {3, 16, 16}), residual);
  EXPECT_EQ(import_fixture("residual_scripted", {3, 16, 16}), residual);
  EXPECT_EQ(import_fixture("residual_per_tensor_traced", {3, 16, 16}), residual);
  Counts once = residual;  // PyTorch's freezing finds that both pools are the same
  once["avg_pool2d"] = 1;
  EXPECT_EQ(import_fixture("residual_frozen", {3, 16, 16}), once);
  const Counts mobile{{"adaptive_avg_pool2d", 1},
                      {"cat", 1},
                      {"clip", 1},
                      {"conv2d", 6},
                      {"dequantize", 1},
                      {"hardsigmoid", 1},
                      {"hardswish", 1},
                      {"leaky_relu", 1},
                      {"mean", 1},
                      {"mul", 1},
                      {"quantize", 1},
                      {"reshape", 2},
                      {"slice", 2},
                      {"softmax", 1},
                      {"transpose", 1}};
  EXPECT_EQ(import_fixture("mobile_traced", {3, 8, 8}), mobile);
  EXPECT_EQ(import_fixture("mobile_scripted", {3, 8, 8}), mobile);
  EXPECT_EQ(import_fixture("mobile_frozen", {3, 8, 8}), mobile);
}

TEST(TorchScriptImport, ReadsFxGraphsWithScalesAsAttributes) {
  const Counts counts{{"add", 1},    {"cat", 1},  {"conv2d", 2},   {"dequantize", 1},
                      {"linear", 1}, {"mean", 1}, {"quantize", 1}, {"reshape", 1}};
  EXPECT_EQ(import_fixture("residual_fx_traced", {3, 8, 8}), counts);
}

TEST(TorchScriptImport, SeesThroughATracedBatchOfOne) {
  const Graph graph = import_torchscript(fixture("hoisted_traced"), {{{"x", {3, 8, 8}}}});
  EXPECT_EQ(shape_text(graph.type(graph.outputs.at(0).value).shape), "[N,4]");
}

TEST(TorchScriptImport, KeepsModulePathsAsOrigins) {
  const Graph graph = import_torchscript(fixture("residual_traced"), {{{"x", {3, 16, 16}}}});
  std::vector<std::string> origins;
  for (const Node& node : graph.nodes()) origins.push_back(node.origin);
  EXPECT_THAT(origins,
              testing::IsSupersetOf({"quant", "conv1", "maxpool", "layers.0.conv1", "layers.1.conv2",
                                     "layers.1.skip", "skip", "avgpool", "pool", "fc1", "fc2", "dequant"}));
}

TEST(TorchScriptImport, GuessesTheInputFromTheFirstWeightsAndSaysSo) {
  ImportNotes notes;
  const std::string file = content_of(fixture("residual_frozen"));
  const Graph graph = import_torchscript(bytes_of(file), {}, &notes);
  EXPECT_EQ(shape_text(graph.type(graph.inputs.at(0)).shape), "[N,3,224,224]");
  ASSERT_EQ(notes.lines.size(), 1U);
  EXPECT_EQ(notes.lines[0], "input 'x' has no shape in the file; taken to be [3, 224, 224] per image");
}

TEST(TorchScriptImport, GuessesAgainWhenTheFirstWeightsWantOtherChannels) {
  const auto attributes =
      torchscript::pickled("w") + torchscript::pickled_tensor("0", 10, 0, {2, 5, 1, 1}, {5, 1, 1, 1});
  const std::string conv =
      torchscript::model_with("return torch.conv2d(x, self.w, None, [1, 1], [0, 0], [1, 1], 1)", attributes,
                              {{"data/0", std::string(40, '\0')}});
  const Graph graph = import_torchscript(bytes_of(conv));
  EXPECT_EQ(shape_text(graph.type(graph.inputs.at(0)).shape), "[N,5,224,224]");
  const auto matrix = torchscript::pickled("w") + torchscript::pickled_tensor("0", 10, 0, {2, 5}, {5, 1});
  const std::string linear =
      torchscript::model_with("return torch.linear(x, self.w)", matrix, {{"data/0", std::string(40, '\0')}});
  const Graph mlp = import_torchscript(bytes_of(linear));
  EXPECT_EQ(shape_text(mlp.type(mlp.inputs.at(0)).shape), "[N,5]");
}

TEST(TorchScriptImport, RefusesAShapeForAnInputThatIsNotThere) {
  EXPECT_THAT(
      [] {
        import_torchscript(fixture("residual_frozen"), {{{"image", {3, 8, 8}}}});
      },
      ThrowsMessage<Error>(HasSubstr("no input 'image'; its first is 'x'")));
  EXPECT_THAT(
      [] {
        import_torchscript(fixture("residual_frozen"), {{{"x", {3, 0, 8}}}});
      },
      ThrowsMessage<Error>(HasSubstr("input 'x' has shape [3, 0, 8]")));
  EXPECT_THROW(import_torchscript(fixture("residual_frozen"), {{{"x", {INT64_MAX, INT64_MAX, 8}}}}), Error);
}

TEST(TorchScriptImport, RefusesFilesThatAreNoModule) {
  EXPECT_THROW(import_torchscript(fixture("nowhere")), Error);
  const std::string number = torchscript::zip_of({{"data.pkl", "\x80\x02K\x01."}});
  EXPECT_THAT([&] { import_torchscript(bytes_of(number)); },
              ThrowsMessage<Error>(HasSubstr("'data.pkl' holds 1")));
  const std::string bare =
      torchscript::zip_of({{"data.pkl", torchscript::whole_pickle(torchscript::pickled_module())}});
  EXPECT_THAT([&] { import_torchscript(bytes_of(bare)); },
              ThrowsMessage<Error>(HasSubstr("no code for class '__torch__.M'")));
  const auto with_code = [](const std::string& code) {
    return torchscript::zip_of({{"data.pkl", torchscript::whole_pickle(torchscript::pickled_module())},
                                {"code/__torch__.py", code}});
  };
  const std::string no_forward = with_code("class M(Module):\n  a : int\n");
  EXPECT_THAT([&] { import_torchscript(bytes_of(no_forward)); },
              ThrowsMessage<Error>(HasSubstr("no method 'forward'")));
  const std::string no_input = with_code("class M(Module):\n  def forward(self: M) -> int:\n    return 1\n");
  EXPECT_THAT([&] { import_torchscript(bytes_of(no_input)); },
              ThrowsMessage<Error>(HasSubstr("takes no tensor")));
  const std::string list_input =
      with_code("class M(Module):\n  def forward(self: M, x: int) -> int:\n    return 1\n");
  EXPECT_THAT([&] { import_torchscript(bytes_of(list_input)); },
              ThrowsMessage<Error>(HasSubstr("is no tensor but 'int'")));
}

/// Any damage gives an Error or a graph that holds together, whatever was hit.
void expect_survival(const std::string& file) {
  try {
    verify(import_torchscript(bytes_of(file), {{{"x", {3, 8, 8}}}}));
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(TorchScriptImport, SurvivesTruncationAnywhere) {
  const std::string file = content_of(fixture("mobile_frozen"));
  ASSERT_GT(file.size(), 1000U);
  for (std::size_t size = 0; size < file.size(); size += 37) expect_survival(file.substr(0, size));
}

TEST(TorchScriptImport, SurvivesFlippedBits) {
  const std::string whole = content_of(fixture("mobile_frozen"));
  for (std::size_t at = 0; at < whole.size(); at += 11) {
    std::string file = whole;
    file[at] = static_cast<char>(file[at] ^ (1 << (at % 8)));
    expect_survival(file);
  }
}

/// A flipped bit in a pickle with a right checksum, as somebody bent on harm would write it.
TEST(TorchScriptImport, SurvivesDamagedPicklesInAnIntactZip) {
  const std::string whole = torchscript::whole_pickle(torchscript::pickled_module(
      torchscript::pickled("w") + torchscript::pickled_tensor("0", 10, 0, {2, 5, 1, 1}, {5, 1, 1, 1})));
  for (std::size_t at = 0; at < whole.size() * 8; ++at) {
    std::string pickle = whole;
    pickle[at / 8] = static_cast<char>(pickle[at / 8] ^ (1 << (at % 8)));
    expect_survival(torchscript::model_with("return torch.conv2d(x, self.w, None, [1, 1], [0, 0], [1, 1], 1)",
                                            "", {{"data.pkl", pickle}, {"data/0", std::string(40, '\0')}}));
  }
}

std::filesystem::path data_folder() {
  const char* folder = std::getenv("OCTAVO_TEST_DATA");
  return folder == nullptr ? "../shared/data" : folder;
}

/// Operators that carry the arithmetic, as the data folder's README counts them.
struct Expected {
  std::string file;
  std::int64_t extent;
  int conv2d, linear, add, clip, pad, slice, max_pool2d;
};

TEST(TorchScriptImport, ReadsEveryRecordedModel) {
  if (!std::filesystem::exists(data_folder() / "resnet50_int8_traced.pt")) {
    GTEST_SKIP() << "NO TEST DATA at " << data_folder() << ": set OCTAVO_TEST_DATA";
  }
  const std::vector<Expected> models{
      {"resnet50_int8_traced", 224, 53, 1, 16, 0, 0, 0, 1},
      {"mobilenet_v2_int8_qnnpack", 224, 52, 1, 10, 0, 0, 0, 0},
      {"efficientnet_lite0_int8_scripted", 224, 49, 1, 9, 33, 5, 0, 0},
      {"efficientnet_lite0_int8_full_range_traced", 224, 49, 1, 9, 0, 5, 0, 0},
      {"cifar10_resnet20_int8_traced", 32, 19, 1, 9, 0, 2, 4, 0},
      {"cifar10_resnet20_int8_scripted", 32, 19, 1, 9, 0, 2, 4, 0},
      {"cifar10_resnet20_int8_frozen", 32, 19, 1, 9, 0, 2, 4, 0},
      {"cifar10_resnet20_int8_per_tensor_full_range_traced", 32, 19, 1, 9, 0, 2, 4, 0},
      {"cifar10_resnet56_int8_scripted", 32, 55, 1, 27, 0, 2, 4, 0},
  };
  for (const Expected& model : models) {
    SCOPED_TRACE(model.file);
    const std::string input = model.file == "mobilenet_v2_int8_qnnpack" ? "X" : "x";
    const Graph graph = import_torchscript(data_folder() / (model.file + ".pt"),
                                           {{{input, {3, model.extent, model.extent}}}});
    verify(graph);
    Counts counts = counts_of(graph);
    EXPECT_EQ(counts["conv2d"], model.conv2d);
    EXPECT_EQ(counts["linear"], model.linear);
    EXPECT_EQ(counts["add"], model.add);
    EXPECT_EQ(counts["clip"], model.clip);
    EXPECT_EQ(counts["pad"], model.pad);
    EXPECT_EQ(counts["slice"], model.slice);
    EXPECT_EQ(counts["max_pool2d"], model.max_pool2d);
    EXPECT_EQ(counts["adaptive_avg_pool2d"], 1);
    EXPECT_EQ(counts["quantize"], 1);
    EXPECT_EQ(counts["dequantize"], 1);
  }
}

TEST(TorchScriptImport, NamesHoistedParametersAfterTheirModules) {
  const auto path = data_folder() / "mobilenet_v2_int8_qnnpack.pt";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "NO TEST DATA at " << data_folder() << ": set OCTAVO_TEST_DATA";
  const Graph graph = import_torchscript(path);
  std::vector<std::string> origins;
  for (const Node& node : graph.nodes()) origins.push_back(node.origin);
  EXPECT_THAT(origins, testing::IsSupersetOf({"features.0.0", "features.2.conv.1.0", "classifier.1"}));
}

}  // namespace
}  // namespace octavo
