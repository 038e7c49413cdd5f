#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/activation.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"
#include "compiler/import/onnx/window.h"

namespace octavo::onnx_import {
namespace {

/// stride, pad, dilation and groups of a convolution of `image` [n, c, h, w] with weights [oc, c / groups, kh, kw].
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
  finish_as_ranked(node, "conv2d", {x, w, bias}, joined(attributes, result_attributes(y_type)), node.shape(0).size());
}

void convert_conv_integer(OnnxNode& node) {
  const Attributes attributes = conv_attributes(node, node.shape(0), node.shape(1));
  node.finish("conv2d_integer", {node.value(0), node.value(1), node.value_or_none(2), node.value_or_none(3)}, attributes);
}

constexpr std::array<Converter, 5> kConverters{{{"", "Conv", convert_conv},
                                                {kMicrosoft, "FusedConv", convert_fused_conv},
                                                {"", "QLinearConv", convert_qlinear_conv},
                                                {kMicrosoft, "QLinearConv", convert_qlinear_conv},
                                                {"", "ConvInteger", convert_conv_integer}}};

}  // namespace

std::span<const Converter> conv_converters() { return kConverters; }

}  // namespace octavo::onnx_import
