#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/activation.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"
#include "compiler/import/onnx/window.h"

namespace octavo::onnx_import {
namespace {

/// stride, pad, dilation and groups of a convolution of `image` [n, c, h, w] with weights [oc, c / groups,
/// kh, kw].
Attributes conv_attributes(OnnxNode& node, const Shape& image, const Shape& weights) {
  if (image.size() != weights.size() || image.size() < 3 || image.size() > 4) {
    fail(ErrorCode::unsupported, "convolution of {} with {}", shape_text(image), shape_text(weights));
  }
  Ints kernel;
  for (std::size_t i = 2; i < weights.size(); ++i) kernel.push_back(weights[i].count);
  if (node.integers("kernel_shape", kernel) != kernel) {
    fail(ErrorCode::invalid_model, "'kernel_shape' does not fit weights {}", shape_text(weights));
  }
  const Window window = read_window(node, image, kernel);
  return {{"stride", window.stride},
          {"pad", window.pad},
          {"dilation", window.dilation},
          {"groups", node.integer("group", 1)}};
}

void convert_conv(OnnxNode& node) {
  const Shape image = node.shape(0);
  const Shape weights = node.shape(1);
  const Attributes attributes = conv_attributes(node, image, weights);
  const ValueId x = as_image(node, node.value(0));
  const ValueId w = as_image(node, node.value(1));
  finish_as_ranked(node, "conv2d", {x, w, node.value_or_none(2)}, attributes, image.size());
}

/// com.microsoft.FusedConv(x, w, bias, sum): the sum is added before the activation.
void convert_fused_conv(OnnxNode& node) {
  const Attributes attributes = conv_attributes(node, node.shape(0), node.shape(1));
  ValueId y = node.step("conv2d", {node.value(0), node.value(1), node.value_or_none(2)}, attributes);
  if (node.has(3)) y = node.step("add", {y, node.value(3)});
  node.give(add_activation(node, y));
}

void convert_qlinear_conv(OnnxNode& node) {
  node.expect("channels_last", 0);
  const Attributes attributes = conv_attributes(node, node.shape(0), node.shape(3));
  const QuantizedType x_type = expect_quantization(node, 1, 2);
  const QuantizedType w_type = expect_quantization(node, 4, 5, 0);
  const QuantizedType y_type = expect_quantization(node, 6, 7);
  const ValueId x = as_image(node, expect_quantized_value(node, 0, x_type.quantization));
  const ValueId w = as_image(node, expect_quantized_value(node, 3, w_type.quantization));
  ValueId bias = kNoValue;
  if (node.has(8)) {
    Quantization bias_type = w_type.quantization;
    for (float& scale : bias_type.scales) scale *= x_type.quantization.scale();
    bias_type.zero_points.assign(bias_type.scales.size(), 0);
    bias = expect_quantized_value(node, 8, bias_type);
  }
  finish_as_ranked(node, "conv2d", {x, w, bias}, joined(attributes, result_attributes(y_type)),
                   node.shape(0).size());
}

/// The operand as f32 with its zero point, if any, taken off; a zero point per output channel is weights'
/// alone.
ValueId centred(OnnxNode& node, std::size_t operand, std::size_t zero_point) {
  const Attributes to_real{{"to", std::string("f32")}};
  const ValueId real = node.step("cast", {node.value(operand)}, to_real);
  if (!node.has(zero_point)) return real;
  ValueId offset = node.step("cast", {node.value(zero_point)}, to_real);
  const Shape shape = node.shape(zero_point);
  if (shape.size() == 1) {
    Shape as_weights(node.shape(operand).size(), Dim{1, false});
    as_weights.at(0) = shape[0];
    offset = node.step("reshape", {offset}, {{"shape", as_weights}});
  }
  return node.step("sub", {real, offset});
}

/// Sums of products of x = 16 * high + low, the two parts apart, so that f32 holds every sum exactly.
void convert_conv_integer(OnnxNode& node) {
  constexpr std::int64_t kMostTerms = (std::int64_t{1} << 24) / (16 * 255);
  const Shape weights = node.shape(1);
  const Attributes attributes = conv_attributes(node, node.shape(0), weights);
  const std::int64_t terms = element_count(Shape(weights.begin() + 1, weights.end())).count;
  if (terms > kMostTerms || weights.size() != 4) {
    fail(ErrorCode::unsupported, "integer convolution with weights {}", shape_text(weights));
  }
  const ValueId x = centred(node, 0, 2);
  const ValueId w = centred(node, 1, 3);
  const ValueId sixteen = node.constant(16.0F);
  const ValueId high = node.step("floor", {node.step("mul", {x, node.constant(1.0F / 16.0F)})});
  const ValueId low = node.step("sub", {x, node.step("mul", {high, sixteen})});
  const Attributes to_integer{{"to", std::string("s32")}};
  const ValueId high_sums = node.step("cast", {node.step("conv2d", {high, w}, attributes)}, to_integer);
  const ValueId low_sums = node.step("cast", {node.step("conv2d", {low, w}, attributes)}, to_integer);
  const ValueId factor = node.step("cast", {sixteen}, to_integer);
  node.finish("add", {node.step("mul", {high_sums, factor}), low_sums});
}

constexpr std::array<Converter, 5> kConverters{{{"", "Conv", convert_conv},
                                                {kMicrosoft, "FusedConv", convert_fused_conv},
                                                {"", "QLinearConv", convert_qlinear_conv},
                                                {kMicrosoft, "QLinearConv", convert_qlinear_conv},
                                                {"", "ConvInteger", convert_conv_integer}}};

}  // namespace

std::span<const Converter> conv_converters() { return kConverters; }

}  // namespace octavo::onnx_import
