#include <algorithm>
#include <array>

#include "base/fail.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

using Ints = std::vector<std::int64_t>;

/// Views keep the order in memory but skip elements.
Layout view_layout(GraphTensor x) { return {.channels_last = x.layout.channels_last, .dense = false}; }

GraphTensor emit_slice(OpCall& call, GraphTensor x, std::size_t axis, std::int64_t begin, std::int64_t end,
                       std::int64_t step) {
  const Shape& shape = call.builder().shape(x);
  if (begin == 0 && step == 1 && end == shape[axis].count) return x;
  Ints begins(shape.size(), 0);
  Ints ends;
  Ints steps(shape.size(), 1);
  for (Dim dim : shape) ends.push_back(dim.count);
  begins[axis] = begin;
  ends[axis] = end;
  steps[axis] = step;
  return call.builder().emit("slice", {x.id}, {{"begin", begins}, {"end", ends}, {"step", steps}},
                             view_layout(x));
}

/// Python's rule: from the back when negative, and never outside.
std::int64_t clamped_bound(std::int64_t bound, std::int64_t extent) {
  if (bound < 0) bound = bound < -extent ? 0 : bound + extent;
  return std::min(bound, extent);
}

/// A list sliced by plain integers.
Value slice_list(OpCall& call, const List& list) {
  const auto extent = static_cast<std::int64_t>(list.items.size());
  const std::int64_t begin = clamped_bound(call.integer_or(1, 0), extent);
  const std::int64_t end = clamped_bound(call.integer_or(2, extent), extent);
  const std::int64_t step = call.integer_or(3, 1);
  if (step < 1) fail(ErrorCode::unsupported, "list slice with step {}", step);
  std::vector<Value> items;
  for (std::int64_t i = begin; i < end; i += std::min(step, extent))
    items.push_back(list.items[static_cast<std::size_t>(i)]);
  return call.heap().list(std::move(items));
}

/// self, dim, start, end, step; of a list: l, start, end, step.
Value slice(OpCall& call) {
  if (List* const* list = std::get_if<List*>(&call.argument(0))) return slice_list(call, **list);
  const GraphTensor x = call.tensor(0);
  const Shape& shape = call.builder().shape(x);
  const std::size_t axis = checked_axis(call.integer_or(1, 0), shape.size());
  const Dim dim = shape[axis];
  const std::int64_t start = call.integer_or(2, 0);
  const std::int64_t stop =
      call.has(3) && !std::holds_alternative<Dim>(call.argument(3)) ? call.integer(3) : INT64_MAX;
  const std::int64_t step = call.integer_or(4, 1);
  if (step < 1) fail(ErrorCode::invalid_model, "slice with step {}", step);
  if (dim.per_image) {
    if (start == 0 && stop == INT64_MAX && step == 1) return x;
    fail(ErrorCode::unsupported, "slice {}:{}:{} of the batch", start, stop, step);
  }
  const std::int64_t begin = clamped_bound(start, dim.count);
  return emit_slice(call, x, axis, begin, std::max(begin, clamped_bound(stop, dim.count)), step);
}

/// self, dim, index: the slice of one, without its axis.
Value select(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  Shape shape = call.builder().shape(x);
  const std::size_t axis = checked_axis(call.integer(1), shape.size());
  std::int64_t index = call.integer(2);
  if (shape[axis].per_image) fail(ErrorCode::unsupported, "selection of one image from the batch");
  if (index < 0) index += shape[axis].count;
  if (index < 0 || index >= shape[axis].count) {
    fail(ErrorCode::invalid_model, "index {} of extent {}", index, shape[axis].count);
  }
  const GraphTensor one = emit_slice(call, x, axis, index, index + 1, 1);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return call.builder().emit("reshape", {one.id}, {{"shape", std::move(shape)}}, view_layout(x));
}

/// Pieces of the given sizes along `axis`, one after the other.
Value pieces(OpCall& call, GraphTensor x, std::size_t axis, const Ints& sizes) {
  const Dim dim = call.builder().shape(x)[axis];
  if (dim.per_image) fail(ErrorCode::unsupported, "splitting of the batch");
  std::vector<Value> parts;
  std::int64_t at = 0;
  for (std::int64_t size : sizes) {
    if (size < 0 || size > dim.count - at) {
      fail(ErrorCode::invalid_model, "split sizes {} of extent {}", shape_text(sizes), dim.count);
    }
    parts.emplace_back(emit_slice(call, x, axis, at, at + size, 1));
    at += size;
  }
  if (at != dim.count)
    fail(ErrorCode::invalid_model, "split sizes {} of extent {}", shape_text(sizes), dim.count);
  return call.heap().list(std::move(parts));
}

Ints equal_sizes(std::int64_t extent, std::int64_t size) {
  if (size < 1) fail(ErrorCode::invalid_model, "split into pieces of {}", size);
  Ints sizes;
  for (std::int64_t at = 0; at < extent; at += std::min(size, extent)) {
    if (sizes.size() > 4096) fail(ErrorCode::invalid_model, "split of {} into pieces of {}", extent, size);
    sizes.push_back(std::min(size, extent - at));
  }
  return sizes;
}

/// self, chunks, dim
Value chunk(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const std::size_t axis = checked_axis(call.integer_or(2, 0), call.builder().shape(x).size());
  const std::int64_t extent = call.builder().shape(x)[axis].count;
  const std::int64_t chunks = call.integer(1);
  if (chunks < 1) fail(ErrorCode::invalid_model, "{} chunks", chunks);
  return pieces(call, x, axis, equal_sizes(extent, extent / chunks + (extent % chunks != 0 ? 1 : 0)));
}

/// self, split_size or sizes, dim
Value split(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const std::size_t axis = checked_axis(call.integer_or(2, 0), call.builder().shape(x).size());
  if (std::holds_alternative<List*>(call.argument(1))) return pieces(call, x, axis, call.integers(1));
  return pieces(call, x, axis, equal_sizes(call.builder().shape(x)[axis].count, call.integer(1)));
}

/// self, dim, start, length
Value narrow(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const std::size_t axis = checked_axis(call.integer(1), call.builder().shape(x).size());
  const Dim dim = call.builder().shape(x)[axis];
  const std::int64_t start = call.integer(2);
  const std::int64_t length = call.integer(3);
  if (dim.per_image || start < 0 || start > dim.count || length < 0 || length > dim.count - start) {
    fail(ErrorCode::invalid_model, "narrow to {} from {} of extent {}", length, start, dim_text(dim));
  }
  return emit_slice(call, x, axis, start, start + length, 1);
}

/// The result of a join is channels-last when all parts are.
Layout joined_layout(const std::vector<GraphTensor>& parts) {
  const bool all =
      std::all_of(parts.begin(), parts.end(), [](GraphTensor part) { return part.layout.channels_last; });
  return {.channels_last = all, .dense = true};
}

GraphTensor emit_cat(OpCall& call, const std::vector<GraphTensor>& parts, std::int64_t axis,
                     Attributes attributes) {
  std::vector<ValueId> ids;
  for (GraphTensor part : parts) ids.push_back(part.id);
  const std::size_t rank = call.builder().shape(parts[0]).size();
  attributes["axis"] = static_cast<std::int64_t>(checked_axis(axis, rank));
  return call.builder().emit("cat", std::move(ids), std::move(attributes), joined_layout(parts));
}

/// tensors, dim: quantized ones take the first one's scale.
Value cat(OpCall& call) {
  const std::vector<GraphTensor> parts = call.tensors(0);
  const TensorType& first = call.builder().type(parts[0]);
  Attributes attributes;
  if (first.quantization) {
    attributes = quantized_result(first.quantization->scale(), first.quantization->zero_point(), first.dtype);
  }
  return emit_cat(call, parts, call.integer_or(1, 0), std::move(attributes));
}

/// qx, dim, scale, zero_point
Value quantized_cat(OpCall& call) {
  const std::vector<GraphTensor> parts = call.tensors(0);
  if (!call.has(2)) return cat(call);
  const DType dtype = call.builder().type(parts[0]).dtype;
  return emit_cat(call, parts, call.integer(1), quantized_result(call.real(2), call.integer_or(3, 0), dtype));
}

Value quantized_cat_relu(OpCall& call) {
  const auto joined = std::get<GraphTensor>(quantized_cat(call));
  return call.builder().emit("relu", {joined.id}, {}, joined.layout);
}

Value emit_pad(OpCall& call, const Ints& amounts, double value) {
  const GraphTensor x = call.tensor(0);
  const TensorType& type = call.builder().type(x);
  const std::size_t rank = type.shape.size();
  if (amounts.size() % 2 != 0 || amounts.size() / 2 > rank) {
    fail(ErrorCode::invalid_model, "{} padding amounts for {} extents", amounts.size(), rank);
  }
  Ints before(rank, 0);
  Ints after(rank, 0);
  for (std::size_t i = 0; i < amounts.size() / 2; ++i) {
    before[rank - 1 - i] = amounts[2 * i];
    after[rank - 1 - i] = amounts[2 * i + 1];
  }
  const double stored = type.quantization ? quantized_bound(value, type) : value;
  return call.builder().emit("pad", {x.id}, {{"before", before}, {"after", after}, {"value", stored}},
                             {.channels_last = x.layout.channels_last, .dense = true});
}

/// self, pad, mode, value
Value pad(OpCall& call) {
  if (call.has(2) && as_string(call.argument(2), call.what(2)) != "constant") {
    fail(ErrorCode::unsupported, "padding mode {}", value_text(call.argument(2)));
  }
  return emit_pad(call, call.integers(1), call.real_or(3, 0.0));
}

Value constant_pad(OpCall& call) { return emit_pad(call, call.integers(1), call.real_or(2, 0.0)); }

constexpr std::array<OpRow, 11> kRows{{
    {"torch.slice", "self dim start end step", slice},
    {"torch.select", "self dim index", select},
    {"torch.chunk", "self chunks dim", chunk},
    {"torch.split", "self split_size dim", split},
    {"torch.split_with_sizes", "self split_sizes dim", split},
    {"torch.narrow", "self dim start length", narrow},
    {"torch.cat", "tensors dim", cat},
    {"ops.quantized.cat", "qx dim scale zero_point", quantized_cat},
    {"ops.quantized.cat_relu", "qx dim scale zero_point", quantized_cat_relu},
    {"torch.pad", "self pad mode value", pad},
    {"torch.constant_pad_nd", "self pad value", constant_pad},
}};

}  // namespace

std::span<const OpRow> slice_rows() { return kRows; }

}  // namespace octavo::torchscript
