#include <algorithm>
#include <array>
#include <numeric>

#include "base/fail.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

using Ints = std::vector<std::int64_t>;

/// PyTorch's pools have a channels-last kernel for tensors that are densely so, and a contiguous one for the
/// rest; the result is laid out as the kernel writes it.
Layout pool_layout(GraphTensor x) {
  return {.channels_last = x.layout.channels_last && x.layout.dense, .dense = true};
}

void set_rounding(OpCall& call, GraphTensor x, Attributes& attributes) {
  if (!call.builder().type(x).quantization) return;
  attributes["rounding"] = std::string(pool_layout(x).channels_last ? "channels_last" : "contiguous");
}

/// A missing or empty stride is the kernel's size.
Ints stride_or_kernel(OpCall& call, std::size_t i, const Ints& kernel) {
  List* const* list = std::get_if<List*>(&call.argument(i));
  return !call.has(i) || (list != nullptr && (*list)->items.empty()) ? kernel : call.pair(i);
}

/// self, kernel_size, stride, padding, dilation, ceil_mode
Value max_pool2d(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  const Ints kernel = call.pair(1);
  const Ints pad = call.pair_or(3, 0);
  return call.builder().emit("max_pool2d", {x.id},
                             {{"kernel", kernel},
                              {"stride", stride_or_kernel(call, 2, kernel)},
                              {"pad", Ints{pad[0], pad[1], pad[0], pad[1]}},
                              {"dilation", call.pair_or(4, 1)},
                              {"ceil_mode", std::int64_t{call.truth_or(5, false)}}},
                             pool_layout(x));
}

/// self, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
Value avg_pool2d(OpCall& call) {
  if (call.has(6)) fail(ErrorCode::unsupported, "average pool with a divisor of its own");
  const GraphTensor x = call.tensor(0);
  const Ints kernel = call.pair(1);
  const Ints pad = call.pair_or(3, 0);
  Attributes attributes{{"kernel", kernel},
                        {"stride", stride_or_kernel(call, 2, kernel)},
                        {"pad", Ints{pad[0], pad[1], pad[0], pad[1]}},
                        {"ceil_mode", std::int64_t{call.truth_or(4, false)}},
                        {"count_include_pad", std::int64_t{call.truth_or(5, true)}}};
  set_rounding(call, x, attributes);
  return call.builder().emit("avg_pool2d", {x.id}, std::move(attributes), pool_layout(x));
}

/// An output extent of None keeps the input's.
Ints output_size(OpCall& call, GraphTensor x) {
  const Shape& shape = call.builder().shape(x);
  if (std::holds_alternative<std::int64_t>(call.argument(1))) return call.pair(1);
  Ints size;
  for (const Value& item : as_list(call.argument(1), call.what(1)).items) {
    const std::size_t axis = shape.size() - 2 + size.size();
    if (is_none(item) && axis < shape.size()) {
      size.push_back(shape[axis].count);
    } else {
      size.push_back(as_integer(item, call.what(1)));
    }
  }
  if (size.size() == 1) size.push_back(size[0]);
  return size;
}

Value adaptive_avg_pool2d(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  Attributes attributes{{"output_size", output_size(call, x)}};
  set_rounding(call, x, attributes);
  return call.builder().emit("adaptive_avg_pool2d", {x.id}, std::move(attributes), pool_layout(x));
}

Ints reduced_axes(OpCall& call, const Shape& shape) {
  Ints axes;
  if (!call.has(1)) {
    axes.resize(shape.size());
    std::iota(axes.begin(), axes.end(), 0);
  } else if (std::holds_alternative<std::int64_t>(call.argument(1))) {
    axes = {call.integer(1)};
  } else {
    axes = call.integers(1);
  }
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(checked_axis(axis, shape.size()));
  return axes;
}

/// self, dim, keepdim, dtype. Quantized means follow the layout too: contiguous ones round an exact quotient.
Value reduce(OpCall& call, std::string_view op) {
  const GraphTensor x = call.tensor(0);
  const bool is_contiguous = !x.layout.channels_last && x.layout.dense;
  Attributes attributes{{"axes", reduced_axes(call, call.builder().shape(x))},
                        {"keep", std::int64_t{call.truth_or(2, false)}}};
  if (call.builder().type(x).quantization) {
    attributes["rounding"] = std::string(is_contiguous ? "contiguous" : "channels_last");
  }
  return call.builder().emit(op, {x.id}, std::move(attributes), Layout{});
}

Value mean(OpCall& call) { return reduce(call, "mean"); }
Value sum(OpCall& call) { return reduce(call, "sum"); }

Value over_axis(OpCall& call, std::string_view op) {
  const GraphTensor x = call.tensor(0);
  return call.builder().emit(op, {x.id}, {{"axis", call.integer(1)}}, x.layout);
}

Value softmax(OpCall& call) { return over_axis(call, "softmax"); }
Value log_softmax(OpCall& call) { return over_axis(call, "log_softmax"); }

constexpr std::array<OpRow, 7> kRows{{
    {"torch.max_pool2d", "self kernel_size stride padding dilation ceil_mode", max_pool2d},
    {"torch.avg_pool2d", "self kernel_size stride padding ceil_mode count_include_pad divisor_override",
     avg_pool2d},
    {"torch.adaptive_avg_pool2d", "self output_size", adaptive_avg_pool2d},
    {"torch.mean", "self dim keepdim dtype", mean},
    {"torch.sum", "self dim keepdim dtype", sum},
    {"torch.softmax", "self dim dtype", softmax},
    {"torch.log_softmax", "self dim dtype", log_softmax},
}};

}  // namespace

std::span<const OpRow> pool_rows() { return kRows; }

}  // namespace octavo::torchscript
