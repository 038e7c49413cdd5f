#include "compiler/passes/qdq_to_quantized.h"

#include <gtest/gtest.h>

#include <cmath>

namespace octavo {
namespace {

using Ints = std::vector<std::int64_t>;

Attributes ort(double scale, std::int64_t zero_point, const std::string& dtype = "u8") {
  return {{"scale", scale}, {"zero_point", zero_point}, {"dtype", dtype}, {"arithmetic", std::string("ort")}};
}

/// A graph with one image input, quantized and dequantized, and helpers that add what a test needs.
struct Qdq {
  Graph graph;
  ValueId x = kNoValue;

  Qdq() {
    const ValueId input =
        graph.add_input("x", {DType::f32, {Dim::batch(), {2, false}, {4, false}, {4, false}}, std::nullopt});
    x = pair(input, 0.5, 10);
  }
  ValueId pair(ValueId real, double scale, std::int64_t zero_point) {
    return graph.add("dequantize", {graph.add("quantize", {real}, ort(scale, zero_point))});
  }
  ValueId weights(const Ints& extents, float scale) {
    Tensor data(DType::s8, extents);
    for (std::size_t i = 0; i < data.as<std::int8_t>().size(); ++i)
      data.as<std::int8_t>()[i] = static_cast<std::int8_t>(i);
    return graph.add("dequantize",
                     {graph.add_constant("w", std::move(data), Quantization::per_tensor(scale, 0))});
  }
  ValueId integer_bias(float scale) {
    return graph.add("dequantize",
                     {graph.add_constant("b", Tensor(DType::s32, {3}), Quantization::per_tensor(scale, 0))});
  }
  ValueId conv(ValueId bias) { return graph.add("conv2d", {x, weights({3, 2, 1, 1}, 0.25F), bias}); }

  /// Quantizes `real` as the result, runs the pass, and says which operators are left.
  std::string rewritten(ValueId real, double scale = 2.0, std::int64_t zero_point = 3) {
    graph.outputs.push_back({"y", graph.add("quantize", {real}, ort(scale, zero_point))});
    changed = qdq_to_quantized(graph);
    verify(graph);
    std::string text;
    for (const Node& node : graph.nodes()) text += (text.empty() ? "" : " ") + std::string(node.op_name());
    return text;
  }
  [[nodiscard]] const Node& last() const { return graph.nodes().back(); }
  bool changed = false;
};

TEST(QdqToQuantized, FusesAConvolutionWithItsIntegerBias) {
  Qdq g;
  EXPECT_EQ(g.rewritten(g.conv(g.integer_bias(0.125F))), "quantize conv2d");
  EXPECT_TRUE(g.changed);
  EXPECT_EQ(g.last().text("arithmetic"), "ort");
  EXPECT_EQ(g.graph.type(g.last().inputs[2]).dtype, DType::s32);
  EXPECT_EQ(*g.graph.type(g.last().output).quantization, Quantization::per_tensor(2.0F, 3));
}

TEST(QdqToQuantized, QuantizesAnF32BiasInUnitsOfTheSums) {
  Qdq g;
  Tensor bias(DType::f32, {3});
  bias.as<float>()[0] = 0.3125F;  // 2.5 sums: to even
  bias.as<float>()[1] = -1.0F;
  EXPECT_EQ(g.rewritten(g.conv(g.graph.add_constant("b", std::move(bias)))), "quantize conv2d");
  const Tensor& integers = *g.graph.value(g.last().inputs[2]).constant;
  EXPECT_EQ(integers.as<std::int32_t>()[0], 2);
  EXPECT_EQ(integers.as<std::int32_t>()[1], -8);
}

TEST(QdqToQuantized, LeavesAConvolutionWhoseBiasHasAnotherScaleInFloat) {
  Qdq g;
  EXPECT_EQ(g.rewritten(g.conv(g.integer_bias(0.2F))), "quantize dequantize conv2d quantize");
  EXPECT_TRUE(g.graph.value(g.last().inputs[0]).name.starts_with("conv2d"));
  EXPECT_TRUE(g.graph.value(g.graph.nodes()[2].inputs[1]).constant.has_value())
      << "weights become f32 constants";
}

TEST(QdqToQuantized, LeavesAnOperatorWhoseFloatResultSomebodyElseReads) {
  Qdq g;
  const ValueId y = g.conv(kNoValue);
  g.graph.outputs.push_back({"real", y});
  EXPECT_EQ(g.rewritten(y), "quantize dequantize conv2d quantize");
}

TEST(QdqToQuantized, DropsAClampThatSaturationCovers) {
  Qdq g;
  EXPECT_EQ(g.rewritten(g.graph.add("relu", {g.conv(kNoValue)}), 2.0, 0), "quantize conv2d");
  Qdq clip;
  const double scale = static_cast<double>(6.0F / 255.0F);
  const ValueId clamped = clip.graph.add("clip", {clip.conv(kNoValue)}, {{"lo", 0.0}, {"hi", 6.0}});
  EXPECT_EQ(clip.rewritten(clamped, scale, 0), "quantize conv2d");
}

TEST(QdqToQuantized, KeepsAClampThatSaturationDoesNotCover) {
  Qdq g;
  EXPECT_EQ(g.rewritten(g.graph.add("relu", {g.conv(kNoValue)}), 2.0, 3),
            "quantize dequantize conv2d relu quantize");
}

TEST(QdqToQuantized, FusesSumsAndProductsOfTwoDequantizedValuesOnly) {
  for (const char* op : {"add", "mul"}) {
    Qdq g;
    EXPECT_EQ(g.rewritten(g.graph.add(op, {g.x, g.x})), std::string("quantize ") + op);
    Qdq real;
    const ValueId one = real.graph.add_constant("one", Tensor(DType::f32, {1}));
    EXPECT_EQ(real.rewritten(real.graph.add(op, {real.x, one})),
              std::string("quantize dequantize ") + op + " quantize");
  }
}

TEST(QdqToQuantized, PutsTheOperandThatRepeatsInsideLast) {
  Qdq g;
  const ValueId channel = g.graph.add(
      "dequantize",
      {g.graph.add_constant("c", Tensor(DType::u8, {1, 2, 1, 1}), Quantization::per_tensor(0.5F, 0))});
  EXPECT_EQ(g.rewritten(g.graph.add("add", {channel, g.x})), "quantize add");
  EXPECT_EQ(shape_text(g.graph.type(g.last().inputs[1]).shape), "[1,2,1,1]");
}

TEST(QdqToQuantized, GivesAveragesOrtRounding) {
  Qdq g;
  EXPECT_EQ(g.rewritten(g.graph.add("adaptive_avg_pool2d", {g.x}, {{"output_size", Ints{1, 1}}})),
            "quantize adaptive_avg_pool2d");
  EXPECT_EQ(g.last().text("rounding"), "ort");
}

TEST(QdqToQuantized, MovesIntegersWhereBothQuantizationsAreEqual) {
  const Attributes pool{{"kernel", Ints{2, 2}}, {"stride", Ints{2, 2}}};
  Qdq same;
  EXPECT_EQ(same.rewritten(same.graph.add("max_pool2d", {same.x}, pool), 0.5, 10), "quantize max_pool2d");
  Qdq other;
  EXPECT_EQ(other.rewritten(other.graph.add("max_pool2d", {other.x}, pool)),
            "quantize dequantize max_pool2d quantize");
}

TEST(QdqToQuantized, PadsWithTheIntegerThatStandsForTheValue) {
  Qdq g;
  const Attributes pad{{"before", Ints{0, 0, 1, 1}}, {"after", Ints{0, 0, 1, 1}}, {"value", 1.0}};
  EXPECT_EQ(g.rewritten(g.graph.add("pad", {g.x}, pad), 0.5, 10), "quantize pad");
  EXPECT_EQ(g.last().real("value"), 12.0);
}

TEST(QdqToQuantized, JoinsPartsOfDifferentScales) {
  Qdq g;
  const ValueId other = g.pair(g.graph.inputs[0], 0.75, 1);
  EXPECT_EQ(g.rewritten(g.graph.add("cat", {g.x, other}, {{"axis", std::int64_t{1}}})),
            "quantize quantize cat");
}

TEST(QdqToQuantized, MakesALinearLayerOfAProductAndItsBias) {
  Qdq g;
  const ValueId flat = g.graph.add(
      "dequantize",
      {g.graph.add("reshape", {g.graph.nodes()[0].output}, {{"shape", Shape{Dim::batch(), {32, false}}}})});
  const ValueId product = g.graph.add("linear", {flat, g.weights({3, 32}, 0.25F)});
  EXPECT_EQ(g.rewritten(g.graph.add("add", {product, g.integer_bias(0.125F)})), "quantize reshape linear");
}

TEST(QdqToQuantized, RequantizesBetweenDifferentScalesAndNotBetweenEqualOnes) {
  Qdq other;
  EXPECT_EQ(other.rewritten(other.x), "quantize requantize");
  Qdq same;
  EXPECT_EQ(same.rewritten(same.x, 0.5, 10), "quantize");
}

TEST(QdqToQuantized, LeavesFbgemmGraphsAlone) {
  Graph graph;
  const ValueId input = graph.add_input("x", {DType::f32, {Dim::batch(), {2, false}}, std::nullopt});
  const ValueId q = graph.add("quantize", {input}, {{"scale", 0.5}});
  const ValueId y = graph.add("sigmoid", {graph.add("dequantize", {q})});
  graph.outputs.push_back({"y", graph.add("quantize", {y}, {{"scale", 0.5}})});
  EXPECT_FALSE(qdq_to_quantized(graph));
}

}  // namespace
}  // namespace octavo
