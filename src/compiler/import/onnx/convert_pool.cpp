#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/quantization.h"
#include "compiler/import/onnx/window.h"

namespace octavo::onnx_import {
namespace {

Attributes pool_attributes(OnnxNode& node, const Shape& image) {
  const Ints kernel = node.integers("kernel_shape", {});
  if (kernel.empty()) fail(ErrorCode::invalid_model, "attribute 'kernel_shape' is missing");
  const Window window = read_window(node, image, kernel);
  return {{"kernel", window.kernel},
          {"stride", window.stride},
          {"pad", window.pad},
          {"dilation", window.dilation},
          {"ceil_mode", node.integer("ceil_mode", 0)}};
}

void convert_max_pool(OnnxNode& node) {
  node.expect("storage_order", 0);
  const Shape image = node.shape(0);
  const Attributes attributes = pool_attributes(node, image);
  finish_as_ranked(node, "max_pool2d", {as_image(node, node.value(0))}, attributes, image.size());
}

void convert_average_pool(OnnxNode& node) {
  const Shape image = node.shape(0);
  Attributes attributes = pool_attributes(node, image);
  attributes["count_include_pad"] = node.integer("count_include_pad", 0);
  finish_as_ranked(node, "avg_pool2d", {as_image(node, node.value(0))}, attributes, image.size());
}

/// Every axis behind batch and channels.
Ints spatial_axes(const Shape& image) {
  if (image.size() < 3) fail(ErrorCode::invalid_model, "global pooling of {}", shape_text(image));
  Ints axes;
  for (std::size_t i = 2; i < image.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}

void convert_global_average_pool(OnnxNode& node) {
  const Shape image = node.shape(0);
  if (image.size() == 4) {
    return node.finish("adaptive_avg_pool2d", {node.value(0)}, {{"output_size", Ints{1, 1}}});
  }
  node.finish("mean", {node.value(0)}, {{"axes", spatial_axes(image)}, {"keep", std::int64_t{1}}});
}

void convert_global_max_pool(OnnxNode& node) {
  const Ints axes = spatial_axes(node.shape(0));
  node.finish("reduce_max", {node.value(0)}, {{"axes", axes}, {"keep", std::int64_t{1}}});
}

const Ints kToChannelsFirst{0, 3, 1, 2};
const Ints kToChannelsLast{0, 2, 3, 1};

/// Runs `op` on a quantized image, which com.microsoft operators may keep with its channels last.
void finish_qlinear_pool(OnnxNode& node, std::string_view op, ValueId x, Attributes attributes,
                         bool channels_last) {
  attributes["rounding"] = std::string("ort");
  if (!channels_last) return node.finish(op, {x}, std::move(attributes));
  node.finish("transpose", {node.step(op, {x}, std::move(attributes))}, {{"perm", kToChannelsLast}});
}

ValueId quantized_image(OnnxNode& node, bool channels_last) {
  const QuantizedType type = expect_quantization(node, 1, 2);
  const ValueId x = expect_quantized_value(node, 0, type.quantization);
  return channels_last ? node.step("transpose", {x}, {{"perm", kToChannelsFirst}}) : x;
}

void convert_qlinear_global_average_pool(OnnxNode& node) {
  const bool channels_last = node.integer("channels_last", 0) != 0;
  const Attributes result = result_attributes(expect_quantization(node, 3, 4));
  const ValueId x = quantized_image(node, channels_last);
  finish_qlinear_pool(node, "adaptive_avg_pool2d", x, joined({{"output_size", Ints{1, 1}}}, result),
                      channels_last);
}

void convert_qlinear_average_pool(OnnxNode& node) {
  const bool channels_last = node.integer("channels_last", 0) != 0;
  const Attributes result = result_attributes(expect_quantization(node, 3, 4));
  const ValueId x = quantized_image(node, channels_last);
  Attributes attributes = pool_attributes(node, node.graph().type(x).shape);
  attributes["count_include_pad"] = node.integer("count_include_pad", 0);
  finish_qlinear_pool(node, "avg_pool2d", x, joined(attributes, result), channels_last);
}

constexpr std::array<Converter, 6> kConverters{
    {{"", "MaxPool", convert_max_pool},
     {"", "AveragePool", convert_average_pool},
     {"", "GlobalAveragePool", convert_global_average_pool},
     {"", "GlobalMaxPool", convert_global_max_pool},
     {kMicrosoft, "QLinearGlobalAveragePool", convert_qlinear_global_average_pool},
     {kMicrosoft, "QLinearAveragePool", convert_qlinear_average_pool}}};

}  // namespace

std::span<const Converter> pool_converters() { return kConverters; }

}  // namespace octavo::onnx_import
