#include "compiler/import/onnx/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/import/onnx/onnx_builder.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using onnx_test::Ints;
using onnx_test::OnnxBuilder;
using onnx_test::set;

Shape result_shape(const Graph& graph) { return graph.type(graph.outputs.at(0).value).shape; }

std::string op_text(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) text += (text.empty() ? "" : " ") + std::string(node.op_name());
  return text;
}

TEST(OnnxImport, GivesInputsWithAnUnknownFirstExtentTheBatch) {
  OnnxBuilder b;
  b.input("x", {-1, 3, 8, 8}).output("y").node("Relu", {"x"}, {"y"});
  EXPECT_EQ(shape_text(result_shape(b.import())), "[N,3,8,8]");
}

TEST(OnnxImport, KeepsAFirstExtentThatTheFileFixes) {
  OnnxBuilder b;
  b.input("x", {2, 3}).output("y").node("Relu", {"x"}, {"y"});
  EXPECT_EQ(shape_text(result_shape(b.import())), "[2,3]");
  EXPECT_EQ(shape_text(result_shape(b.import({{{"x", {5}}}}))), "[N,5]");
  EXPECT_EQ(shape_text(result_shape(b.import({{{"", {5}}}}))), "[N,5]");
}

TEST(OnnxImport, SeesThroughShapeArithmeticOverTheBatch) {
  OnnxBuilder b;
  b.input("x", {-1, 3, 4, 4}).output("y").integers("axes", {0}).integers("rest", {-1});
  b.initializer<std::int64_t>("zero", {}, {0}, onnx::TensorProto::INT64);
  b.node("Shape", {"x"}, {"s"});
  set(b.node("Gather", {"s", "zero"}, {"n"}), "axis", 0);
  b.node("Unsqueeze", {"n", "axes"}, {"n1"});
  set(b.node("Concat", {"n1", "rest"}, {"shape"}), "axis", 0);
  b.node("Reshape", {"x", "shape"}, {"y"});
  const Graph graph = b.import();
  EXPECT_EQ(shape_text(result_shape(graph)), "[N,48]");
  EXPECT_EQ(op_text(graph), "reshape");
}

TEST(OnnxImport, ComputesWithShapesAsModelsDo) {
  OnnxBuilder b;
  b.input("x", {-1, 6, 4}).output("y").integers("two", {2}).integers("one", {1}).integers("zero", {0});
  b.node("Shape", {"x"}, {"s"});
  b.node("Slice", {"s", "zero", "one"}, {"n"});
  b.node("Slice", {"s", "one", "two"}, {"c"});
  b.node("Div", {"c", "two"}, {"half"});
  b.node("Mul", {"n", "two"}, {"twice"});
  b.node("Equal", {"half", "zero"}, {"is_zero"});
  b.node("Where", {"is_zero", "one", "half"}, {"kept"});
  set(b.node("Concat", {"twice", "kept", "two", "two"}, {"shape"}), "axis", 0);
  b.node("Reshape", {"x", "shape"}, {"y"});
  EXPECT_EQ(shape_text(result_shape(b.import())), "[2N,3,2,2]");
}

TEST(OnnxImport, RestoresTheBatchWhereAFileSaysOne) {
  OnnxBuilder b;
  b.input("x", {1, 3, 4, 4}).output("y").integers("shape", {1, 48}).node("Reshape", {"x", "shape"}, {"y"});
  EXPECT_EQ(shape_text(result_shape(b.import({{{"x", {3, 4, 4}}}}))), "[N,48]");
}

TEST(OnnxImport, RefusesTheBatchSizeAsData) {
  OnnxBuilder b;
  b.input("x", {-1, 3}).output("y").node("Shape", {"x"}, {"s"});
  b.node("Cast", {"s"}, {"f"}).add_attribute()->CopyFrom([] {
    onnx::AttributeProto to;
    to.set_name("to");
    to.set_type(onnx::AttributeProto::INT);
    to.set_i(onnx::TensorProto::FLOAT);
    return to;
  }());
  b.node("Mul", {"x", "f"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(b.import()); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("batch size (N)")));
}

TEST(OnnxImport, TransposesConstantWeightsOfGemm) {
  OnnxBuilder b;
  b.input("x", {-1, 3}).output("y").reals("w", {3, 5}, 1.0F).reals("c", {1, 5}, 2.0F);
  b.node("Gemm", {"x", "w", "c"}, {"y"});
  const Graph graph = b.import();
  EXPECT_EQ(op_text(graph), "linear");
  EXPECT_EQ(shape_text(graph.type(graph.nodes()[0].inputs[1]).shape), "[5,3]");
  EXPECT_EQ(shape_text(graph.type(graph.nodes()[0].inputs[2]).shape), "[5]");
}

TEST(OnnxImport, PadsLikeTensorFlowWithAutoPad) {
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER"}) {
    OnnxBuilder b;
    b.input("x", {-1, 1, 6, 6}).output("y").reals("w", {1, 1, 3, 3}, 1.0F);
    auto& conv = b.node("Conv", {"x", "w"}, {"y"});
    set(conv, "auto_pad", mode);
    set(conv, "strides", Ints{2, 2});
    const Graph graph = b.import();
    EXPECT_EQ(shape_text(result_shape(graph)), "[N,1,3,3]");
    const Ints expected = std::string(mode) == "SAME_UPPER" ? Ints{0, 0, 1, 1} : Ints{1, 1, 0, 0};
    EXPECT_EQ(graph.nodes()[0].integers("pad"), expected);
  }
}

TEST(OnnxImport, RunsOneDimensionalConvolutionsAsImages) {
  OnnxBuilder b;
  b.input("x", {-1, 2, 9}).output("y").reals("w", {4, 2, 3}, 1.0F).node("Conv", {"x", "w"}, {"y"});
  EXPECT_EQ(shape_text(result_shape(b.import())), "[N,4,7]");
}

struct Variant {
  std::int64_t opset;
  bool as_input;
};

TEST(OnnxOpsets, ClipTakesItsBoundsFromAttributesAndThenFromInputs) {
  for (const auto& [opset, as_input] : {Variant{6, false}, Variant{11, true}}) {
    OnnxBuilder b(opset);
    b.input("x", {-1, 3}).output("y").reals("lo", {}, 0.0F).reals("hi", {}, 6.0F);
    auto& clip = b.node("Clip", {"x"}, {"y"});
    if (!as_input) set(clip, "min", 0.0F);
    if (!as_input) set(clip, "max", 6.0F);
    if (as_input) clip.add_input("lo");
    if (as_input) clip.add_input("hi");
    const Graph graph = b.import();
    EXPECT_EQ(graph.nodes()[0].real("lo"), 0.0);
    EXPECT_EQ(graph.nodes()[0].real("hi"), 6.0);
  }
}

TEST(OnnxOpsets, AxesMovedFromAttributesToInputs) {
  const std::map<std::string, std::pair<std::int64_t, std::string>> ops{{"Squeeze", {13, "[N,3,1]"}},
                                                                        {"Unsqueeze", {13, "[N,1,3,1,1]"}},
                                                                        {"ReduceSum", {13, "[N,1,1,1]"}},
                                                                        {"ReduceMean", {18, "[N,1,1,1]"}}};
  for (const auto& [op, facts] : ops) {
    for (const bool as_input : {false, true}) {
      OnnxBuilder b(as_input ? facts.first : facts.first - 1);
      b.input("x", {-1, 3, 1, 1}).output("y").integers("axes", op == "Squeeze" ? Ints{2} : Ints{1});
      auto& node = b.node(op, {"x"}, {"y"});
      if (as_input) node.add_input("axes");
      if (!as_input) set(node, "axes", op == "Squeeze" ? Ints{2} : Ints{1});
      EXPECT_EQ(shape_text(result_shape(b.import())), facts.second) << op;
    }
  }
}

TEST(OnnxOpsets, SliceSplitAndPadReadBothForms) {
  for (const bool old : {true, false}) {
    OnnxBuilder b(old ? 9 : 18);
    b.input("x", {-1, 7}).output("y").output("z");
    b.integers("starts", {1})
        .integers("ends", {1000})
        .integers("axes", {1})
        .integers("parts", {2, 4})
        .integers("pads", {0, 1, 0, 2});
    auto& slice = b.node("Slice", {"x"}, {"s"});
    auto& split = b.node("Split", {"s"}, {"a", "z"});
    set(split, "axis", 1);
    auto& pad = b.node("Pad", {"a"}, {"y"});
    if (old) {
      set(slice, "starts", Ints{1});
      set(slice, "ends", Ints{1000});
      set(slice, "axes", Ints{1});
      set(split, "split", Ints{2, 4});
      set(pad, "pads", Ints{0, 1, 0, 2});
    } else {
      for (const char* name : {"starts", "ends", "axes"}) slice.add_input(name);
      split.add_input("parts");
      pad.add_input("pads");
    }
    const Graph graph = b.import();
    EXPECT_EQ(shape_text(result_shape(graph)), "[N,5]");
    EXPECT_EQ(shape_text(graph.type(graph.outputs[1].value).shape), "[N,4]");
  }
}

TEST(OnnxOpsets, SoftmaxFlattenedBeforeThirteen) {
  for (const auto& [opset, ops] : {std::pair{12, "reshape softmax reshape"}, std::pair{13, "softmax"}}) {
    OnnxBuilder b(opset);
    b.input("x", {-1, 3, 4}).output("y").node("Softmax", {"x"}, {"y"});
    EXPECT_EQ(op_text(b.import()), ops);
  }
}

TEST(OnnxOpsets, DropoutIsNothing) {
  for (const std::int64_t opset : {7, 13}) {
    OnnxBuilder b(opset);
    b.input("x", {-1, 3}).output("y").node("Dropout", {"x"}, {"d"});
    b.node("Relu", {"d"}, {"y"});
    EXPECT_EQ(op_text(b.import()), "relu");
  }
}

TEST(OnnxOpsets, ThoseOutsideTheRangeAreRefused) {
  OnnxBuilder b(24);
  b.input("x", {-1, 3}).output("y").node("Relu", {"x"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(b.import()); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("opset 24")));
}

TEST(OnnxUnsupported, OperatorsAreListedAllAtOnceWithTheirNodes) {
  OnnxBuilder b;
  b.input("x", {-1, 3}).output("y").node("LSTM", {"x"}, {"a"});
  b.node("Relu", {"a"}, {"r"});
  b.node("Frobnicate", {"r"}, {"f"}, "com.example");
  b.node("LSTM", {"f"}, {"y"});
  EXPECT_THAT([&] { static_cast<void>(b.import()); },
              testing::ThrowsMessage<Error>(
                  testing::AllOf(testing::HasSubstr("LSTM (nodes 'LSTM_1', 'LSTM_4')"),
                                 testing::HasSubstr("com.example.Frobnicate (node 'Frobnicate_3')"))));
}

TEST(OnnxUnsupported, AttributesAndResultsAreNamed) {
  OnnxBuilder b;
  b.input("x", {-1, 3, 4, 4}).output("y").output("indices");
  set(b.node("MaxPool", {"x"}, {"m", "indices"}), "kernel_shape", Ints{2, 2});
  set(b.node("Relu", {"x"}, {"y"}), "leak", 1);
  EXPECT_THAT([&] { static_cast<void>(b.import()); },
              testing::ThrowsMessage<Error>(testing::AllOf(testing::HasSubstr("output 1 ('indices')"),
                                                           testing::HasSubstr("attribute 'leak'"))));
}

TEST(OnnxQuantization, PairsBecomeQuantizeAndDequantizeWithOrtArithmetic) {
  OnnxBuilder b;
  b.input("x", {-1, 3}).output("y").reals("s", {}, 0.5F);
  b.initializer<std::uint8_t>("z", {}, {7}, onnx::TensorProto::UINT8);
  b.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  b.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  const Graph graph = b.import();
  EXPECT_EQ(op_text(graph), "quantize dequantize");
  EXPECT_EQ(graph.nodes()[0].text("arithmetic"), "ort");
  EXPECT_EQ(*graph.type(graph.nodes()[0].output).quantization, Quantization::per_tensor(0.5F, 7));
}

TEST(OnnxQuantization, ScalesMustBePositiveAndFitTheirAxis) {
  for (const float scale : {0.0F, -1.0F, INFINITY, NAN}) {
    OnnxBuilder b;
    b.input("x", {-1, 3}).output("y").reals("s", {}, scale).node("QuantizeLinear", {"x", "s"}, {"y"});
    EXPECT_THROW(static_cast<void>(b.import()), Error) << scale;
  }
  OnnxBuilder b;
  b.output("y").reals("s", {4}, 0.5F);
  b.initializer<std::int8_t>("q", {3, 2}, {1, 2, 3, 4, 5, 6}, onnx::TensorProto::INT8);
  set(b.node("DequantizeLinear", {"q", "s"}, {"y"}), "axis", 0);
  EXPECT_THAT([&] { static_cast<void>(b.import()); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("4 scales along axis 0")));
}

TEST(OnnxQuantization, QLinearConvHasAnIntegerBiasInUnitsOfItsSums) {
  OnnxBuilder b;
  b.input("x", {-1, 2, 5, 5}, onnx::TensorProto::UINT8).output("y");
  b.reals("xs", {}, 0.5F).reals("ws", {3}, 0.25F).reals("ys", {}, 2.0F);
  b.initializer<std::uint8_t>("xz", {}, {9}, onnx::TensorProto::UINT8);
  b.initializer<std::int8_t>("wz", {3}, {0, 0, 0}, onnx::TensorProto::INT8);
  b.initializer<std::int8_t>("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6}, onnx::TensorProto::INT8);
  b.initializer<std::int32_t>("bias", {3}, {1, 2, 3}, onnx::TensorProto::INT32);
  b.node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "xz", "bias"}, {"y"});
  const Graph graph = b.import();
  ASSERT_EQ(op_text(graph), "conv2d");
  const Quantization& bias = *graph.type(graph.nodes()[0].inputs[2]).quantization;
  EXPECT_EQ(bias.scales, std::vector<float>(3, 0.125F));
  EXPECT_EQ(bias.axis, 0);
}

}  // namespace
}  // namespace octavo
