#include <algorithm>
#include <array>
#include <numeric>

#include "base/fail.h"
#include "compiler/import/torchscript/op_table.h"
#include "compiler/import/torchscript/reshape.h"

namespace octavo::torchscript {
namespace {

using Ints = std::vector<std::int64_t>;

Value emit_reshape(OpCall& call, GraphTensor x, Shape shape) {
  if (call.builder().shape(x) == shape) return x;
  return call.builder().emit("reshape", {x.id}, {{"shape", std::move(shape)}}, Layout{});
}

/// self, shape: a list, or an integer for one extent.
Value reshape(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  return emit_reshape(call, x,
                      reshaped_shape(call.builder().shape(x), as_list(call.argument(1), call.what(1))));
}

/// self, start_dim, end_dim
Value flatten(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const Shape& shape = call.builder().shape(x);
  const std::size_t first = checked_axis(call.integer_or(1, 0), shape.size());
  const std::size_t last = checked_axis(call.integer_or(2, -1), shape.size());
  if (last < first) fail(ErrorCode::invalid_model, "flatten from axis {} to {}", first, last);
  const auto begin = shape.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = shape.begin() + static_cast<std::ptrdiff_t>(last) + 1;
  Shape flat(shape.begin(), begin);
  flat.push_back(element_count(Shape(begin, end)));
  flat.insert(flat.end(), end, shape.end());
  return emit_reshape(call, x, std::move(flat));
}

Value unsqueeze(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  Shape shape = call.builder().shape(x);
  const std::size_t axis = checked_axis(call.integer(1), shape.size() + 1);
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), Dim{1, false});
  return emit_reshape(call, x, std::move(shape));
}

/// One axis, or all: extents of 1 go (a batch extent is not 1).
Value squeeze(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  Shape shape = call.builder().shape(x);
  if (!call.has(1)) {
    std::erase(shape, Dim{1, false});
  } else {
    const std::size_t axis = checked_axis(call.integer(1), shape.size());
    if (shape[axis] == Dim{1, false}) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return emit_reshape(call, x, std::move(shape));
}

Value emit_transpose(OpCall& call, GraphTensor x, Ints perm) {
  if (std::is_sorted(perm.begin(), perm.end())) return x;
  return call.builder().emit("transpose", {x.id}, {{"perm", std::move(perm)}},
                             {.channels_last = false, .dense = false});
}

Value transpose(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const std::size_t rank = call.builder().shape(x).size();
  Ints perm(rank);
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[checked_axis(call.integer(1), rank)], perm[checked_axis(call.integer(2), rank)]);
  return emit_transpose(call, x, std::move(perm));
}

Value permute(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  Ints perm = call.integers(1);
  for (std::int64_t& axis : perm)
    axis = static_cast<std::int64_t>(checked_axis(axis, call.builder().shape(x).size()));
  return emit_transpose(call, x, std::move(perm));
}

/// t(self): of a weight the strides are swapped, of a computed matrix the axes.
Value t(OpCall& call) {
  const auto* stored = std::get_if<const StoredTensor*>(&call.argument(0));
  if (stored != nullptr && (*stored)->sizes.size() == 2 && (*stored)->strides.size() == 2 &&
      !(*stored)->quantizer) {
    StoredTensor turned = **stored;
    std::swap(turned.sizes[0], turned.sizes[1]);
    std::swap(turned.strides[0], turned.strides[1]);
    return call.heap().tensor(std::move(turned));
  }
  const GraphTensor x = call.tensor(0);
  if (call.builder().shape(x).size() != 2)
    fail(ErrorCode::invalid_model, "t of {}", shape_text(call.builder().shape(x)));
  return emit_transpose(call, x, {1, 0});
}

/// self, memory_format (0 contiguous, 1 preserve, 2 channels_last): only what later pools round by changes.
Value contiguous(OpCall& call) {
  GraphTensor x = call.tensor(0);
  x.layout = {.channels_last = call.integer_or(1, 0) == 2, .dense = true};
  return x;
}

/// A copy of quantized values is contiguous, of reals it keeps its order.
Value clone(OpCall& call) {
  GraphTensor x = call.tensor(0);
  const bool is_quantized = call.builder().type(x).quantization.has_value();
  x.layout = {.channels_last = !is_quantized && x.layout.channels_last, .dense = true};
  return x;
}

Value identity(OpCall& call) {
  if (!call.is_tensor(0)) return call.argument(0);
  return call.tensor(0);
}

/// self, other tensors or dtypes: only moves to f32 are known, and those are no change.
Value to(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  for (std::size_t i = 1; i < 3; ++i) {
    const auto* dtype = std::get_if<std::int64_t>(&call.argument(i));
    constexpr std::int64_t kFloat = 6;
    if (dtype != nullptr && *dtype != kFloat) fail(ErrorCode::unsupported, "conversion to dtype {}", *dtype);
  }
  return x;
}

/// self, size: -1 keeps an extent.
Value expand(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const Shape& own = call.builder().shape(x);
  const List& sizes = as_list(call.argument(1), call.what(1));
  if (sizes.items.size() < own.size()) {
    fail(ErrorCode::invalid_model, "expansion of {} to {} extents", shape_text(own), sizes.items.size());
  }
  const std::size_t added = sizes.items.size() - own.size();
  Shape shape;
  for (std::size_t i = 0; i < sizes.items.size(); ++i) {
    const Value& size = sizes.items[i];
    if (const auto* dim = std::get_if<Dim>(&size)) {
      shape.push_back(*dim);
    } else if (i >= added && (own[i - added].per_image || as_integer(size, call.what(1)) == -1)) {
      shape.push_back(own[i - added]);
    } else {
      shape.push_back({as_integer(size, call.what(1)), false});
    }
    if (shape.back().count < 0) fail(ErrorCode::invalid_model, "expansion to {}", shape_text(shape));
  }
  if (shape == own) return x;
  return call.builder().emit("expand", {x.id}, {{"shape", std::move(shape)}},
                             {.channels_last = false, .dense = false});
}

constexpr std::array<OpRow, 18> kRows{{
    {"torch.view", "self size", reshape},
    {"torch.reshape", "self shape", reshape},
    {"torch.flatten", "self start_dim end_dim", flatten},
    {"torch.unsqueeze", "self dim", unsqueeze},
    {"torch.squeeze", "self dim", squeeze},
    {"torch.transpose", "self dim0 dim1", transpose},
    {"torch.permute", "self dims", permute},
    {"torch.t", "self", t},
    {"torch.numpy_T", "self", t},
    {"torch.contiguous", "self memory_format", contiguous},
    {"torch.clone", "self memory_format", clone},
    {"torch.detach", "self", identity},
    {"torch.alias", "self", identity},
    {"torch.to", "self dtype_or_device dtype non_blocking copy memory_format", to},
    {"torch.type_as", "self other", identity},
    {"torch.expand", "self size implicit", expand},
    {"torch.requires_grad", "self mode", identity},
    {"torch.cpu", "self", identity},
}};

}  // namespace

std::span<const OpRow> shape_rows() { return kRows; }

}  // namespace octavo::torchscript
