#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"

namespace octavo::onnx_import {
namespace {

/// Whether `a` is a single value along the innermost extents in which `b` is not: ONNX Runtime adds such an
/// operand first (docs/numerics.md).
bool repeats_inside(const Shape& a, const Shape& b) {
  for (std::size_t back = 1; back <= b.size(); ++back) {
    const Dim own = back <= a.size() ? a[a.size() - back] : Dim{1, false};
    const Dim other = b[b.size() - back];
    if (own != other) return own == Dim{1, false};
    if (own != Dim{1, false}) return false;
  }
  return false;
}

/// QLinearAdd, QLinearMul(a, scale, zp, b, scale, zp, y scale, y zp)
void convert_binary(OnnxNode& node) {
  const QuantizedType a_type = expect_quantization(node, 1, 2);
  const QuantizedType b_type = expect_quantization(node, 4, 5);
  const Attributes result = result_attributes(expect_quantization(node, 6, 7));
  ValueId a = expect_quantized_value(node, 0, a_type.quantization);
  ValueId b = expect_quantized_value(node, 3, b_type.quantization);
  if (repeats_inside(node.shape(0), node.shape(3))) std::swap(a, b);
  node.finish(node.op() == "QLinearAdd" ? "add" : "mul", {a, b}, result);
}

/// QLinearSigmoid, QLinearLeakyRelu(x, scale, zp, y scale, y zp)
void convert_table(OnnxNode& node) {
  const QuantizedType x_type = expect_quantization(node, 1, 2);
  Attributes attributes = result_attributes(expect_quantization(node, 3, 4));
  const ValueId x = expect_quantized_value(node, 0, x_type.quantization);
  if (node.op() == "QLinearSigmoid") return node.finish("sigmoid", {x}, attributes);
  attributes["alpha"] = node.real("alpha", 0.01F);
  node.finish("leaky_relu", {x}, attributes);
}

void convert_softmax(OnnxNode& node) {
  const std::int64_t opset = node.integer("opset", 13);
  const Shape shape = node.shape(0);
  const std::size_t axis = OnnxNode::axis(node.integer("axis", -1), shape.size());
  if (opset < 13 && axis + 1 != shape.size())
    fail(ErrorCode::unsupported, "softmax of opset {} over axis {}", opset, axis);
  const QuantizedType x_type = expect_quantization(node, 1, 2);
  const Attributes result = result_attributes(expect_quantization(node, 3, 4));
  const ValueId x = expect_quantized_value(node, 0, x_type.quantization);
  const ValueId y =
      node.step("softmax", {node.step("dequantize", {x})}, {{"axis", static_cast<std::int64_t>(axis)}});
  node.finish("quantize", {y}, result);
}

/// QLinearConcat(y scale, y zp, then x, scale, zp of each part)
void convert_concat(OnnxNode& node) {
  if (!node.has_attribute("axis")) fail(ErrorCode::invalid_model, "attribute 'axis' is missing");
  Attributes attributes = result_attributes(expect_quantization(node, 0, 1));
  attributes["axis"] = node.integer("axis", 0);
  if (node.inputs() < 5 || node.inputs() % 3 != 2) fail(ErrorCode::invalid_model, "{} inputs", node.inputs());
  std::vector<ValueId> parts;
  for (std::size_t i = 2; i < node.inputs(); i += 3) {
    parts.push_back(expect_quantized_value(node, i, expect_quantization(node, i + 1, i + 2).quantization));
  }
  node.finish("cat", parts, attributes);
}

constexpr std::array<Converter, 6> kConverters{{{kMicrosoft, "QLinearAdd", convert_binary},
                                                {kMicrosoft, "QLinearMul", convert_binary},
                                                {kMicrosoft, "QLinearSigmoid", convert_table},
                                                {kMicrosoft, "QLinearLeakyRelu", convert_table},
                                                {kMicrosoft, "QLinearSoftmax", convert_softmax},
                                                {kMicrosoft, "QLinearConcat", convert_concat}}};

}  // namespace

std::span<const Converter> qlinear_converters() { return kConverters; }

}  // namespace octavo::onnx_import
