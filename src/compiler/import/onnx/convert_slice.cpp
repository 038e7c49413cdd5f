#include <algorithm>
#include <array>
#include <numeric>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/parameters.h"
#include "compiler/import/onnx/quantization.h"

namespace octavo::onnx_import {
namespace {

void convert_slice(OnnxNode& node) {
  const SliceBounds bounds = read_slice(node, node.shape(0));
  node.finish("slice", {node.value(0)},
              {{"begin", bounds.begin}, {"end", bounds.end}, {"step", bounds.step}});
}

/// The parts' sizes: an attribute before opset 13, then an input; or equal parts, the last one smaller (opset
/// 18).
Ints read_parts(OnnxNode& node, std::int64_t extent) {
  if (node.has(1)) return node.integers(1, "split");
  if (node.has_attribute("split")) return node.integers("split", {});
  const std::int64_t count = node.integer("num_outputs", static_cast<std::int64_t>(node.outputs()));
  if (count < 1 || count != static_cast<std::int64_t>(node.outputs())) {
    fail(ErrorCode::invalid_model, "{} parts for {} outputs", count, node.outputs());
  }
  const std::int64_t size = extent / count + (extent % count != 0 ? 1 : 0);
  Ints parts;
  for (std::int64_t i = 0; i < count; ++i)
    parts.push_back(std::clamp<std::int64_t>(extent - i * size, 0, size));
  return parts;
}

void convert_split(OnnxNode& node) {
  const Shape shape = node.shape(0);
  const std::size_t axis = OnnxNode::axis(node.integer("axis", 0), shape.size());
  if (shape[axis].per_image) fail(ErrorCode::unsupported, "Split along the batch");
  const Ints parts = read_parts(node, shape[axis].count);
  if (parts.size() != node.outputs())
    fail(ErrorCode::invalid_model, "{} parts for {} outputs", parts.size(), node.outputs());
  const ValueId x = node.value(0);
  Ints begin(shape.size(), 0);
  Ints end = extents_at(shape, 1);
  std::int64_t position = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] < 0 || parts[i] > shape[axis].count - position) {
      fail(ErrorCode::invalid_model, "'split' is {} for an extent of {}", shape_text(parts),
           shape[axis].count);
    }
    begin[axis] = position;
    end[axis] = position += parts[i];
    node.finish("slice", {x}, {{"begin", begin}, {"end", end}, {"step", Ints(shape.size(), 1)}}, i);
  }
  if (position != shape[axis].count) {
    fail(ErrorCode::invalid_model, "'split' is {} for an extent of {}", shape_text(parts), shape[axis].count);
  }
}

double pad_value(OnnxNode& node) {
  if (node.opset() < 11) return node.real("value", 0.0);
  if (!node.has(2)) return 0.0;
  const auto value = known_scalar(node, 2, "constant_value");
  if (!value) fail(ErrorCode::unsupported, "'constant_value' is not known when the model is compiled");
  return *value;
}

/// Padding before and behind each extent; negative padding cuts.
struct Padding {
  Ints before, after;
};

Padding read_padding(OnnxNode& node, std::size_t rank) {
  const Ints pads = node.opset() < 11 ? node.integers("pads", {}) : node.integers(1, "pads");
  Ints axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (node.has(3)) axes = node.integers(3, "axes");
  if (pads.size() != 2 * axes.size()) {
    fail(ErrorCode::invalid_model, "'pads' has {} entries, expected {}", pads.size(), 2 * axes.size());
  }
  Padding padding{Ints(rank, 0), Ints(rank, 0)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = OnnxNode::axis(axes[i], rank);
    padding.before[axis] = pads[i];
    padding.after[axis] = pads[i + axes.size()];
  }
  return padding;
}

/// Cuts where the padding is negative; what remains of it is not.
ValueId cut(OnnxNode& node, ValueId x, Padding& padding) {
  const Shape shape = node.graph().type(x).shape;
  Ints begin(shape.size(), 0);
  Ints end = extents_at(shape, 1);
  bool cuts = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (padding.before[i] < -shape[i].count || padding.after[i] < -shape[i].count) {
      fail(ErrorCode::invalid_model, "padding {}, {} of an extent of {}", padding.before[i], padding.after[i],
           shape[i].count);
    }
    cuts = cuts || padding.before[i] < 0 || padding.after[i] < 0;
    begin[i] -= std::min<std::int64_t>(padding.before[i], 0);
    end[i] += std::min<std::int64_t>(padding.after[i], 0);
    padding.before[i] = std::max<std::int64_t>(padding.before[i], 0);
    padding.after[i] = std::max<std::int64_t>(padding.after[i], 0);
  }
  if (!cuts) return x;
  return node.step("slice", {x}, {{"begin", begin}, {"end", end}, {"step", Ints(shape.size(), 1)}});
}

void convert_pad(OnnxNode& node) {
  const std::string mode = node.text("mode", "constant");
  if (mode != "constant")
    fail(ErrorCode::unsupported, "attribute 'mode' is '{}' (constant is supported)", mode);
  const double value = pad_value(node);
  Padding padding = read_padding(node, node.shape(0).size());
  const ValueId x = cut(node, node.value(0), padding);
  node.finish("pad", {x}, {{"before", padding.before}, {"after", padding.after}, {"value", value}});
}

constexpr std::array<Converter, 3> kConverters{
    {{"", "Slice", convert_slice}, {"", "Split", convert_split}, {"", "Pad", convert_pad}}};

}  // namespace

std::span<const Converter> slice_converters() { return kConverters; }

}  // namespace octavo::onnx_import
