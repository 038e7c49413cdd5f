#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"

namespace octavo::onnx_import {
namespace {

/// Constants, and constants behind a dequantize: what `linear` takes as weights.
bool is_weights(OnnxNode& node, std::size_t index) {
  if (node.is_constant(index)) return true;
  return node.model().dequantized_from(node.value(index)) != kNoValue;
}

ValueId scaled(OnnxNode& node, ValueId value, double factor) {
  return factor == 1.0 ? value : node.step("mul", {value, node.constant(static_cast<float>(factor))});
}

/// The input as a bias of `linear` with `channels` outputs: of shape [oc], with another shape's leading ones
/// dropped; kNoValue when it is no such thing.
ValueId linear_bias(OnnxNode& node, std::size_t index, Dim channels) {
  if (!is_weights(node, index)) return kNoValue;
  const Shape shape = node.shape(index);
  if (shape == Shape{channels}) return node.value(index);
  if (shape != Shape{{1, false}, channels}) return kNoValue;
  const ValueId real = node.value(index);
  if (!node.graph().value(real).constant) return kNoValue;
  return node.model().add_constant(
      "bias", Tensor(*node.graph().value(real).constant).reshaped({channels.count}), std::nullopt);
}

/// Y = alpha * A' * B' + beta * C
void convert_gemm(OnnxNode& node) {
  const double alpha = node.real("alpha", 1.0);
  const double beta = node.real("beta", 1.0);
  ValueId a = node.value(0);
  ValueId b = node.value(1);
  if (node.graph().type(a).shape.size() != 2 || node.graph().type(b).shape.size() != 2) {
    fail(ErrorCode::invalid_model, "Gemm of {} and {}", shape_text(node.shape(0)), shape_text(node.shape(1)));
  }
  if (node.integer("transA", 0) != 0) a = node.step("transpose", {a}, {{"perm", Ints{1, 0}}});
  const bool b_is_transposed = node.integer("transB", 0) != 0;
  const bool has_c = node.has(2) && beta != 0.0;
  if (!is_weights(node, 1)) {
    if (b_is_transposed) b = node.step("transpose", {b}, {{"perm", Ints{1, 0}}});
    const ValueId y = scaled(node, node.step("matmul", {a, b}), alpha);
    return has_c ? node.finish("add", {y, scaled(node, node.value(2), beta)}) : node.give(y);
  }
  if (!b_is_transposed) b = transposed_matrix(node, b);
  const Dim channels = node.graph().type(b).shape[0];
  const ValueId bias = has_c && alpha == 1.0 && beta == 1.0 ? linear_bias(node, 2, channels) : kNoValue;
  if (bias != kNoValue) return node.finish("linear", {a, b, bias});
  if (!has_c && alpha == 1.0) return node.finish("linear", {a, b});
  const ValueId y = scaled(node, node.step("linear", {a, b}), alpha);
  if (has_c) node.finish("add", {y, scaled(node, node.value(2), beta)});
  if (!has_c) node.give(y);
}

void convert_matmul(OnnxNode& node) {
  const ValueId a = node.value(0);
  const ValueId b = node.value(1);
  const bool is_linear = is_weights(node, 1) && node.shape(1).size() == 2 && !node.shape(0).empty();
  if (!is_linear) return node.finish("matmul", {a, b});
  node.finish("linear", {a, transposed_matrix(node, b)});
}

void convert_matmul_integer(OnnxNode& node) {
  node.finish("matmul_integer", {node.value(0), node.value(1), node.value_or_none(2), node.value_or_none(3)});
}

void convert_qlinear_matmul(OnnxNode& node) {
  const QuantizedType a_type = expect_quantization(node, 1, 2);
  const auto last = static_cast<std::int64_t>(node.shape(3).size()) - 1;
  const QuantizedType b_type = expect_quantization(node, 4, 5, last);
  const Attributes result = result_attributes(expect_quantization(node, 6, 7));
  const ValueId a = expect_quantized_value(node, 0, a_type.quantization);
  const ValueId b = expect_quantized_value(node, 3, b_type.quantization);
  const bool is_linear = node.is_constant(3) && last == 1 && !node.shape(0).empty();
  if (is_linear) return node.finish("linear", {a, transposed_matrix(node, b)}, result);
  node.finish("matmul", {a, b}, result);
}

/// com.microsoft.QGemm(a, scale, zp, b, scale, zp, bias s32, y scale, y zp); without the last two the result
/// is f32.
void convert_qgemm(OnnxNode& node) {
  if (node.real("alpha", 1.0) != 1.0)
    fail(ErrorCode::unsupported, "attribute 'alpha' is {}", node.real("alpha", 1.0));
  const bool b_is_transposed = node.integer("transB", 0) != 0;
  const QuantizedType a_type = expect_quantization(node, 1, 2);
  const QuantizedType b_type = expect_quantization(node, 4, 5, b_is_transposed ? 0 : 1);
  ValueId a = expect_quantized_value(node, 0, a_type.quantization);
  ValueId b = expect_quantized_value(node, 3, b_type.quantization);
  if (node.shape(0).size() != 2 || node.shape(3).size() != 2 || !node.is_constant(3)) {
    fail(ErrorCode::unsupported, "QGemm of {} and {}", shape_text(node.shape(0)), shape_text(node.shape(3)));
  }
  if (node.integer("transA", 0) != 0) a = node.step("transpose", {a}, {{"perm", Ints{1, 0}}});
  if (!b_is_transposed) b = transposed_matrix(node, b);
  ValueId bias = kNoValue;
  if (node.has(6)) {
    Quantization bias_type = b_type.quantization;
    for (float& scale : bias_type.scales) scale *= a_type.quantization.scale();
    bias_type.zero_points.assign(bias_type.scales.size(), 0);
    if (!bias_type.is_per_tensor()) bias_type.axis = 0;
    bias = expect_quantized_value(node, 6, bias_type);
  }
  if (node.has(7))
    return node.finish("linear", {a, b, bias}, result_attributes(expect_quantization(node, 7, 8)));
  const ValueId real_bias = bias == kNoValue ? kNoValue : node.step("dequantize", {bias});
  node.finish("linear", {node.step("dequantize", {a}), node.step("dequantize", {b}), real_bias});
}

constexpr std::array<Converter, 5> kConverters{{{"", "Gemm", convert_gemm},
                                                {"", "MatMul", convert_matmul},
                                                {"", "MatMulInteger", convert_matmul_integer},
                                                {"", "QLinearMatMul", convert_qlinear_matmul},
                                                {kMicrosoft, "QGemm", convert_qgemm}}};

}  // namespace

std::span<const Converter> matrix_converters() { return kConverters; }

}  // namespace octavo::onnx_import
