#pragma once
#include "compiler/import/onnx/onnx_node.h"

namespace octavo::onnx_import {

/// A sliding window over the last two extents of an image; over the last one, its upper half does nothing.
struct Window {
  Ints kernel, stride, dilation;  ///< height, width
  Ints pad;                       ///< top, left, bottom, right
};

/// strides, dilations, pads and auto_pad of a Conv or pooling node over `image` [n, c, w] or [n, c, h, w].
/// Error(invalid_model) when a list has another length than the kernel.
Window read_window(OnnxNode& node, const Shape& image, Ints kernel);

/// [n, c, w] as [n, c, 1, w], and back: convolutions and pools of the Graph work on images.
ValueId as_image(OnnxNode& node, ValueId value);
/// Adds the node's last operator, on images; its result gets `rank` extents.
void finish_as_ranked(OnnxNode& node, std::string_view graph_op, std::vector<ValueId> inputs,
                      Attributes attributes, std::size_t rank);

}  // namespace octavo::onnx_import
