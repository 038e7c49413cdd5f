#pragma once
#include "compiler/import/onnx/onnx_node.h"

namespace octavo::onnx_import {

// Parameters that moved from attributes to inputs as opsets went by.

/// A Slice's bounds, one entry per extent, clamped into it; a negative step counts down to `end`, which may
/// be -1.
struct SliceBounds {
  Ints begin, end, step;
  /// How many elements of extent `i` are taken.
  [[nodiscard]] std::int64_t count(std::size_t i) const {
    const std::int64_t size = step[i] > 0 ? end[i] - begin[i] : begin[i] - end[i];
    const std::int64_t stride = step[i] > 0 ? step[i] : -step[i];
    return size <= 0 ? 0 : (size - 1) / stride + 1;
  }
};
SliceBounds read_slice(OnnxNode& node, const Shape& shape);

/// The complete result shape of a Reshape, Flatten, Squeeze or Unsqueeze of `shape`; 0 and -1 resolved, the
/// batch kept.
Shape read_new_shape(OnnxNode& node, const Shape& shape);

/// 'axes' of a Squeeze, Unsqueeze, Reduce...: the attribute, or input 1; nothing when neither is there.
std::optional<Ints> read_axes(OnnxNode& node);

}  // namespace octavo::onnx_import
