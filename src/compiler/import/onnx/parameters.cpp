#include "compiler/import/onnx/parameters.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

/// The bounds of one extent. ONNX allows them far outside: INT64_MAX stands for "to the end".
void clamp_bounds(Dim dim, std::int64_t& begin, std::int64_t& end, std::int64_t step) {
  const std::int64_t extent = dim.count;
  const auto from_front = [&](std::int64_t at) { return at < 0 ? at + extent : at; };
  if (step > 0) {
    begin = std::clamp<std::int64_t>(from_front(begin), 0, extent);
    end = std::clamp<std::int64_t>(from_front(end), begin, extent);
  } else {
    begin = std::clamp<std::int64_t>(from_front(begin), -1, extent - 1);
    end = std::clamp<std::int64_t>(from_front(end), -1, begin);
  }
}

Shape with_axes_removed(const Shape& shape, const std::optional<Ints>& axes) {
  std::vector<bool> drop(shape.size(), false);
  for (std::size_t i = 0; !axes && i < shape.size(); ++i) drop[i] = shape[i] == Dim{1, false};
  for (std::int64_t axis : axes.value_or(Ints{})) {
    const std::size_t i = OnnxNode::axis(axis, shape.size());
    if (shape[i] != Dim{1, false}) {
      fail(ErrorCode::invalid_model, "cannot squeeze axis {} of {}", axis, shape_text(shape));
    }
    drop[i] = true;
  }
  Shape result;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!drop[i]) result.push_back(shape[i]);
  }
  return result;
}

Shape with_axes_added(const Shape& shape, const Ints& axes) {
  const std::size_t rank = shape.size() + axes.size();
  std::vector<bool> added(rank, false);
  for (std::int64_t axis : axes) {
    const std::size_t i = OnnxNode::axis(axis, rank);
    if (added[i]) fail(ErrorCode::invalid_model, "axis {} is added twice", axis);
    added[i] = true;
  }
  Shape result;
  auto next = shape.begin();
  for (std::size_t i = 0; i < rank; ++i) result.push_back(added[i] ? Dim{1, false} : *next++);
  return result;
}

Shape flattened(OnnxNode& node, const Shape& shape) {
  const std::int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (axis < -rank || axis > rank) fail(ErrorCode::invalid_model, "axis {} of {}", axis, shape_text(shape));
  const auto middle = shape.begin() + (axis < 0 ? axis + rank : axis);
  return {element_count(Shape(shape.begin(), middle)), element_count(Shape(middle, shape.end()))};
}

/// The extent for which -1 stands, when the others have `rest` elements.
Dim inferred_extent(const Shape& from, Dim rest, const Shape& wanted) {
  const Dim all = element_count(from);
  const auto extent = quotient(all, rest);
  if (!extent || product(*extent, rest) != all) {
    fail(ErrorCode::invalid_model, "cannot reshape {} to {}", shape_text(from), shape_text(wanted));
  }
  return *extent;
}

/// A file traced at batch 1 says [1,1024] where it means [N,1024].
void restore_batch(const Shape& from, Shape& to) {
  if (!is_per_image(from) || is_per_image(to) || to.empty()) return;
  if (element_count(to).count == element_count(from).count) to.front().per_image = true;
}

Shape reshaped(OnnxNode& node, const Shape& from) {
  const auto wanted = node.known(1);
  if (!wanted || wanted->rank() != 1)
    fail(ErrorCode::unsupported, "'shape' is not known when the model is compiled");
  const bool keeps_zero = node.integer("allowzero", 0) != 0;
  Shape to = wanted->values;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (to[i] == Dim{0, false} && !keeps_zero) {
      if (i >= from.size())
        fail(ErrorCode::invalid_model, "shape {} keeps extent {} of {}", shape_text(to), i, shape_text(from));
      to[i] = from[i];
    }
    if (to[i].count >= 0) continue;
    if (open || to[i] != Dim{-1, false}) fail(ErrorCode::invalid_model, "'shape' is {}", shape_text(to));
    open = i;
  }
  if (open) {
    Shape rest = to;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(*open));
    to[*open] = inferred_extent(from, element_count(rest), to);
  }
  restore_batch(from, to);
  return to;
}

}  // namespace

std::optional<Ints> read_axes(OnnxNode& node) {
  if (node.has(1)) return node.integers(1, "axes");
  if (!node.has_attribute("axes")) return std::nullopt;
  return node.integers("axes", {});
}

SliceBounds read_slice(OnnxNode& node, const Shape& shape) {
  const bool from_inputs = node.opset() >= 10;
  const Ints starts = from_inputs ? node.integers(1, "starts") : node.integers("starts", {});
  const Ints ends = from_inputs ? node.integers(2, "ends") : node.integers("ends", {});
  Ints axes = node.has(3) ? node.integers(3, "axes") : node.integers("axes", {});
  if (axes.empty()) {
    axes.resize(starts.size());
    std::iota(axes.begin(), axes.end(), 0);
  }
  const Ints steps = node.has(4) ? node.integers(4, "steps") : Ints(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    fail(ErrorCode::invalid_model, "{} starts, {} ends, {} axes, {} steps", starts.size(), ends.size(),
         axes.size(), steps.size());
  }
  SliceBounds bounds;
  for (Dim dim : shape) {
    bounds.begin.push_back(0);
    bounds.end.push_back(dim.count);
    bounds.step.push_back(1);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = OnnxNode::axis(axes[i], shape.size());
    if (steps[i] == 0 || steps[i] == std::numeric_limits<std::int64_t>::min()) {
      fail(ErrorCode::invalid_model, "slice with step {}", steps[i]);
    }
    bounds.begin[axis] = starts[i];
    bounds.end[axis] = ends[i];
    bounds.step[axis] = steps[i];
    const bool takes_all =
        steps[i] == 1 && starts[i] == 0 && ends[i] >= std::numeric_limits<std::int32_t>::max();
    if (shape[axis].per_image && !takes_all) {
      fail(ErrorCode::unsupported, "slice {}:{} of the batch", starts[i], ends[i]);
    }
    clamp_bounds(shape[axis], bounds.begin[axis], bounds.end[axis], bounds.step[axis]);
  }
  return bounds;
}

Shape read_new_shape(OnnxNode& node, const Shape& shape) {
  if (node.op() == "Flatten") return flattened(node, shape);
  if (node.op() == "Reshape") return reshaped(node, shape);
  const auto axes = read_axes(node);
  if (node.op() == "Squeeze") return with_axes_removed(shape, axes);
  if (!axes) fail(ErrorCode::invalid_model, "'axes' is missing");
  return with_axes_added(shape, *axes);
}

}  // namespace octavo::onnx_import
