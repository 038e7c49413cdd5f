#include "compiler/import/onnx/window.h"

#include <algorithm>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

constexpr std::int64_t kLargest = 65535;

Ints read_list(OnnxNode& node, std::string_view name, std::size_t count, std::int64_t least,
               std::int64_t fallback) {
  Ints values = node.integers(name, Ints(count, fallback));
  if (values.size() != count) {
    fail(ErrorCode::invalid_model, "'{}' has {} entries, expected {}", name, values.size(), count);
  }
  for (std::int64_t value : values) {
    if (value < least || value > kLargest) fail(ErrorCode::invalid_model, "'{}' holds {}", name, value);
  }
  return values;
}

/// Padding with which ceil(in / stride) windows fit; an odd one goes behind, or in front with SAME_LOWER.
void pad_same(Window& window, std::size_t axis, std::size_t rank, std::int64_t in, bool in_front) {
  const std::int64_t stride = window.stride[axis];
  const std::int64_t count = in / stride + (in % stride != 0 ? 1 : 0);
  const std::int64_t span = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
  const std::int64_t total = std::max<std::int64_t>(0, (count - 1) * stride + span - in);
  window.pad[axis] = in_front ? total - total / 2 : total / 2;
  window.pad[axis + rank] = total - window.pad[axis];
}

void apply_auto_pad(Window& window, const std::string& mode, const Shape& image) {
  if (mode == "NOTSET" || mode == "VALID") return;
  if (mode != "SAME_UPPER" && mode != "SAME_LOWER")
    fail(ErrorCode::invalid_model, "'auto_pad' is '{}'", mode);
  const std::size_t rank = window.kernel.size();
  for (std::size_t i = 0; i < rank; ++i) pad_same(window, i, rank, image[2 + i].count, mode == "SAME_LOWER");
}

}  // namespace

Window read_window(OnnxNode& node, const Shape& image, Ints kernel) {
  const std::size_t rank = kernel.size();
  if (image.size() != rank + 2 || rank < 1 || rank > 2) {
    fail(ErrorCode::unsupported, "a window of {} extents over {}", rank, shape_text(image));
  }
  for (std::int64_t extent : kernel) {
    if (extent < 1 || extent > kLargest) fail(ErrorCode::invalid_model, "kernel {}", shape_text(kernel));
  }
  const std::string mode = node.text("auto_pad", "NOTSET");
  Window window{std::move(kernel), read_list(node, "strides", rank, 1, 1),
                read_list(node, "dilations", rank, 1, 1), read_list(node, "pads", 2 * rank, 0, 0)};
  if (mode != "NOTSET") window.pad.assign(2 * rank, 0);
  apply_auto_pad(window, mode.empty() ? "NOTSET" : mode, image);
  if (rank == 1) {
    for (Ints* list : {&window.kernel, &window.stride, &window.dilation}) list->insert(list->begin(), 1);
    window.pad = {0, window.pad[0], 0, window.pad[1]};
  }
  return window;
}

ValueId as_image(OnnxNode& node, ValueId value) {
  Shape shape = node.graph().type(value).shape;
  if (shape.size() != 3) return value;
  shape.insert(shape.begin() + 2, Dim{1, false});
  return node.step("reshape", {value}, {{"shape", shape}});
}

void finish_as_ranked(OnnxNode& node, std::string_view graph_op, std::vector<ValueId> inputs,
                      Attributes attributes, std::size_t rank) {
  if (rank != 3) return node.finish(graph_op, std::move(inputs), std::move(attributes));
  const ValueId image = node.step(graph_op, std::move(inputs), std::move(attributes));
  Shape shape = node.graph().type(image).shape;
  shape.erase(shape.begin() + 2);
  node.finish("reshape", {image}, {{"shape", shape}});
}

}  // namespace octavo::onnx_import
