#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"

namespace octavo::onnx_import {
namespace {

/// A scale or zero point along `axis`, shaped so that it broadcasts over a tensor of `rank` extents.
ValueId along_axis(OnnxNode& node, ValueId value, std::size_t axis, std::size_t rank) {
  const Shape own = node.graph().type(value).shape;
  if (own.size() != 1 || own[0] == Dim{1, false}) return value;
  Shape shape(rank, Dim{1, false});
  shape.at(axis) = own[0];
  return node.step("reshape", {value}, {{"shape", shape}});
}

ValueId real(OnnxNode& node, ValueId value) {
  return node.step("cast", {value}, {{"to", std::string("f32")}});
}

std::size_t read_axis(OnnxNode& node, std::size_t rank) {
  node.expect("block_size", 0);
  const std::int64_t axis = node.integer("axis", 1);
  // The attribute does not count for a whole tensor's scale, and its default fits no vector.
  return rank < 2 && axis == 1 ? 0 : OnnxNode::axis(axis, rank);
}

/// Rounds and clamps with plain operators: for a scale per axis, or one that the model computes.
void quantize_by_hand(OnnxNode& node, std::size_t axis, std::size_t rank) {
  const DType dtype = node.has(2) ? node.type(2).dtype : DType::u8;
  if (dtype != DType::u8 && dtype != DType::s8)
    fail(ErrorCode::unsupported, "quantization to {}", dtype_name(dtype));
  const double lowest = dtype == DType::s8 ? -128.0 : 0.0;
  ValueId y = node.step("div", {node.value(0), along_axis(node, node.value(1), axis, rank)});
  y = node.step("round", {y});
  if (node.has(2)) y = node.step("add", {y, real(node, along_axis(node, node.value(2), axis, rank))});
  y = node.step("clip", {y}, {{"lo", lowest}, {"hi", lowest + 255.0}});
  node.finish("cast", {y}, {{"to", std::string(dtype_name(dtype))}});
}

void convert_quantize(OnnxNode& node) {
  node.ignore("saturate");
  node.expect("output_dtype", 0);
  node.expect("precision", 0);
  const std::size_t rank = node.shape(0).size();
  const std::size_t axis = read_axis(node, rank);
  const auto type = read_quantization(node, 1, 2, static_cast<std::int64_t>(axis));
  const DType from = node.type(0).dtype;
  if (from != DType::f32) fail(ErrorCode::unsupported, "quantization of {}", dtype_name(from));
  if (!type || !type->quantization.is_per_tensor()) return quantize_by_hand(node, axis, rank);
  node.finish("quantize", {node.value(0)}, result_attributes(*type));
}

void dequantize_by_hand(OnnxNode& node, std::size_t axis, std::size_t rank) {
  ValueId x = real(node, node.value(0));
  if (node.has(2)) x = node.step("sub", {x, real(node, along_axis(node, node.value(2), axis, rank))});
  node.finish("mul", {x, along_axis(node, node.value(1), axis, rank)});
}

void convert_dequantize(OnnxNode& node) {
  node.expect("output_dtype", 0);
  const std::size_t rank = node.shape(0).size();
  const std::size_t axis = read_axis(node, rank);
  const auto type = read_quantization(node, 1, 2, static_cast<std::int64_t>(axis));
  const DType from = node.type(0).dtype;
  if (from != DType::u8 && from != DType::s8 && from != DType::s32) {
    fail(ErrorCode::unsupported, "dequantization of {}", dtype_name(from));
  }
  const ValueId integers = type ? quantized_value(node, 0, type->quantization) : kNoValue;
  if (integers == kNoValue) return dequantize_by_hand(node, axis, rank);
  node.finish("dequantize", {integers});
  if (node.graph().value(integers).constant) {
    node.model().remember_dequantized(node.graph().nodes().back().output, integers);
  }
}

void convert_dynamic_quantize(OnnxNode& node) {
  const ValueId x = node.value(0);
  node.finish("dynamic_quantize", {x}, {}, 0);
  if (node.wants(1)) node.finish("dynamic_scale", {x}, {}, 1);
  if (node.wants(2)) node.finish("dynamic_zero_point", {x}, {}, 2);
}

constexpr std::array<Converter, 5> kConverters{{{"", "QuantizeLinear", convert_quantize},
                                                {kMicrosoft, "QuantizeLinear", convert_quantize},
                                                {"", "DequantizeLinear", convert_dequantize},
                                                {kMicrosoft, "DequantizeLinear", convert_dequantize},
                                                {"", "DynamicQuantizeLinear", convert_dynamic_quantize}}};

}  // namespace

std::span<const Converter> quantize_converters() { return kConverters; }

}  // namespace octavo::onnx_import
