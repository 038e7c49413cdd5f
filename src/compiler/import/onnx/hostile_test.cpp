#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "compiler/import/onnx/onnx_builder.h"
#include "octavo/error.h"

namespace octavo {
namespace {

namespace fs = std::filesystem;
using onnx_test::Ints;
using onnx_test::OnnxBuilder;
using onnx_test::set;

/// A model with something of everything that can be damaged.
OnnxBuilder small_model() {
  OnnxBuilder b;
  b.input("x", {-1, 2, 6, 6})
      .output("y")
      .reals("w", {4, 2, 3, 3}, 0.5F)
      .reals("f", {3, 64}, 0.25F)
      .integers("shape", {0, -1});
  auto& conv = b.node("Conv", {"x", "w"}, {"c"});
  set(conv, "pads", Ints{0, 0, 0, 0});
  b.node("Reshape", {"c", "shape"}, {"r"});
  set(b.node("Gemm", {"r", "f"}, {"y"}), "transB", 1);
  return b;
}

/// Anything but an Error of ours or a graph that keeps the rules fails the test.
void import_whatever(const std::string& bytes) {
  try {
    verify(import_onnx(std::as_bytes(std::span(bytes)), {}, {}));
  } catch (const Error& e) {
    EXPECT_NE(e.code(), ErrorCode::internal) << e.what();
  }
}

auto throws(const std::string& text) { return testing::ThrowsMessage<Error>(testing::HasSubstr(text)); }

TEST(HostileOnnx, EveryTruncationIsRefusedOrStillAModel) {
  const std::string bytes = small_model().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) import_whatever(bytes.substr(0, size));
}

TEST(HostileOnnx, EveryFlippedBitIsRefusedOrStillAModel) {
  const std::string bytes = small_model().bytes();
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 3) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    import_whatever(damaged);
  }
}

TEST(HostileOnnx, FilesThatAreNoModelSaySo) {
  const std::string text = "Lorem ipsum dolor sit amet";
  EXPECT_THAT([&] { static_cast<void>(import_onnx(std::as_bytes(std::span(text)), {}, {})); },
              throws("no ONNX model"));
  EXPECT_THAT([&] { static_cast<void>(import_onnx(std::span<const std::byte>(), {}, {})); },
              throws("'graph' is missing"));
  EXPECT_THAT([&] { static_cast<void>(import_onnx("/nonexistent/a.onnx")); }, throws("/nonexistent/a.onnx"));
}

TEST(HostileOnnx, DeeplyNestedSubgraphsAreRefused) {
  onnx::GraphProto inner;
  for (int depth = 0; depth < 200; ++depth) {
    onnx::GraphProto outer;
    auto* attribute = outer.add_node()->add_attribute();
    attribute->set_type(onnx::AttributeProto::GRAPH);
    attribute->mutable_g()->Swap(&inner);
    inner.Swap(&outer);
  }
  OnnxBuilder b = small_model();
  auto* attribute = b.graph().mutable_node(0)->add_attribute();
  attribute->set_name("body");
  attribute->set_type(onnx::AttributeProto::GRAPH);
  attribute->mutable_g()->Swap(&inner);
  EXPECT_THAT([&] { static_cast<void>(b.import()); }, throws("no ONNX model"));
}

TEST(HostileOnnx, AbsurdExtentsAreRefused) {
  const std::int64_t huge = std::int64_t{1} << 40;
  OnnxBuilder weights = small_model();
  weights.graph().mutable_initializer(0)->set_dims(0, huge);
  weights.graph().mutable_initializer(0)->set_dims(1, huge);
  EXPECT_THAT([&] { static_cast<void>(weights.import()); }, throws("more elements than memory can hold"));
  weights.graph().mutable_initializer(0)->set_dims(1, 1);
  EXPECT_THAT([&] { static_cast<void>(weights.import()); },
              throws("bytes of data for shape [1099511627776, 1, 3, 3]"));
  weights.graph().mutable_initializer(0)->set_dims(1, -1);
  EXPECT_THAT([&] { static_cast<void>(weights.import()); }, throws("negative extent"));
  OnnxBuilder input;
  input.input("x", {-1, huge, huge}).output("y").node("Relu", {"x"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(input.import()); }, throws("input 'x'"));
  OnnxBuilder window = small_model();
  set(*window.graph().mutable_node(0), "strides", Ints{1, huge});
  EXPECT_THAT([&] { static_cast<void>(window.import()); }, throws("'strides' holds 1099511627776"));
}

TEST(HostileOnnx, CyclesAndUndefinedNamesAreRefusedByName) {
  OnnxBuilder cycle;
  cycle.input("x", {-1, 3}).output("y").node("Add", {"x", "b"}, {"a"});
  cycle.node("Relu", {"a"}, {"b"});
  EXPECT_THAT([&] { static_cast<void>(cycle.import()); }, throws("input 'b'"));
  OnnxBuilder missing;
  missing.input("x", {-1, 3}).output("z").node("Relu", {"x"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(missing.import()); }, throws("output 'z'"));
}

TEST(HostileOnnx, NamesDefinedTwiceAreRefused) {
  OnnxBuilder results;
  results.input("x", {-1, 3}).output("y").node("Relu", {"x"}, {"y"});
  results.node("Abs", {"x"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(results.import()); }, throws("'y' is defined twice"));
  OnnxBuilder inputs;
  inputs.input("x", {-1, 3}).input("x", {-1, 3}).output("y").node("Relu", {"x"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(inputs.import()); }, throws("two inputs are named 'x'"));
  OnnxBuilder outputs;
  outputs.input("x", {-1, 3}).output("y").output("y").node("Relu", {"x"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(outputs.import()); }, throws("two outputs are named 'y'"));
  OnnxBuilder initializers;
  initializers.input("x", {-1, 3})
      .output("y")
      .reals("w", {3}, 1.0F)
      .reals("w", {3}, 1.0F)
      .node("Add", {"x", "w"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(initializers.import()); }, throws("'w' is defined twice"));
}

TEST(HostileOnnx, OneInitializerCopiedManyTimesIsRefused) {
  OnnxBuilder b;
  const std::int64_t rows = 1024;
  b.input("x", {-1, rows}).output("y").reals("w", {rows, rows}, 1.0F);
  for (int i = 0; i < 40; ++i) b.node("Gemm", {"x", "w"}, {i == 0 ? "y" : "y" + std::to_string(i)});
  EXPECT_THAT([&] { static_cast<void>(b.import()); }, throws("more than a file of"));
}

/// A model whose weights are in a file beside it, in a folder of its own.
class ExternalData : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "weights.bin", std::ios::binary) << std::string(64, '\0');
    std::ofstream(folder_.parent_path() / "outside.bin", std::ios::binary) << std::string(64, '\0');
  }
  void TearDown() override { fs::remove_all(folder_.parent_path()); }

  Graph import(const std::string& location, const std::string& offset = "16",
               const std::string& length = "12") {
    OnnxBuilder b;
    b.input("x", {-1, 3}).output("y").reals("w", {3}, 1.0F).node("Add", {"x", "w"}, {"y"});
    auto* tensor = b.graph().mutable_initializer(0);
    tensor->clear_raw_data();
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    for (const auto& [key, value] :
         std::map<std::string, std::string>{{"location", location}, {"offset", offset}, {"length", length}}) {
      if (value.empty()) continue;
      auto* entry = tensor->add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    std::ofstream(folder_ / "model.onnx", std::ios::binary) << b.bytes();
    return import_onnx(folder_ / "model.onnx");
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("octavo_external_" + std::to_string(::getpid())) / "model";
};

TEST_F(ExternalData, IsReadFromTheModelsFolder) { EXPECT_EQ(import("weights.bin").nodes().size(), 1U); }

TEST_F(ExternalData, ThatIsMissingIsNamed) {
  EXPECT_THAT([&] { static_cast<void>(import("absent.bin")); }, throws("absent.bin"));
  EXPECT_THAT([&] { static_cast<void>(import("")); }, throws("external data without a location"));
}

TEST_F(ExternalData, OutsideTheFolderIsRefused) {
  fs::create_symlink(folder_.parent_path() / "outside.bin", folder_ / "link.bin");
  for (const std::string& location :
       {std::string("../outside.bin"), (folder_ / "weights.bin").string(), std::string("link.bin"),
        std::string("sub/../../outside.bin"), std::string(".")}) {
    EXPECT_THAT([&] { static_cast<void>(import(location)); }, throws("outside the model's folder"))
        << location;
  }
}

TEST_F(ExternalData, BeyondTheFilesEndIsRefused) {
  EXPECT_THAT([&] { static_cast<void>(import("weights.bin", "60")); }, throws("offset 60, length 12"));
  EXPECT_THAT([&] { static_cast<void>(import("weights.bin", "18446744073709551615")); },
              throws("offset 18446744073709551615"));
  EXPECT_THAT([&] { static_cast<void>(import("weights.bin", "-4")); }, throws("'offset' is '-4'"));
  EXPECT_THAT([&] { static_cast<void>(import("weights.bin", "16", "16")); },
              throws("16 bytes of data for shape [3]"));
}

TEST_F(ExternalData, OfAModelInMemoryIsRefused) {
  OnnxBuilder b;
  b.input("x", {-1, 3}).output("y").reals("w", {3}, 1.0F).node("Add", {"x", "w"}, {"y"});
  auto* tensor = b.graph().mutable_initializer(0);
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* entry = tensor->add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  EXPECT_THAT([&] { static_cast<void>(b.import()); },
              throws("'weights.bin' of a model that is not read from a folder"));
}

}  // namespace
}  // namespace octavo
