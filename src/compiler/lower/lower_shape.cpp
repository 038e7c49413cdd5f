#include <algorithm>

#include "base/fail.h"
#include "compiler/graph/op.h"
#include "compiler/graph/ops/infer.h"
#include "compiler/lower/lowering.h"
#include "compiler/lower/names.h"
#include "engine/kernels/concat/problem.h"
#include "engine/kernels/copy/problem.h"
#include "engine/kernels/gather/problem.h"

namespace octavo::lowering {
namespace {

/// How one logical extent of a copy's result reads its source.
struct Extent {
  std::int64_t size = 1;
  std::int64_t stride = 0;
  std::int64_t begin = 0;
  std::int64_t count = 1;
};

/// Adds the copy of `x` that makes the node's result in `layout`, from the reading of each logical extent.
Step& add_copy(Lowering& to, const Node& node, std::int32_t x, const std::vector<Extent>& extents,
               std::int64_t x_offset, Layout layout) {
  const PlanTensor& from = to.tensor(x);
  CopyProblem p;
  p.bytes = dtype_bytes(from.dtype);
  p.x_offset = x_offset;
  p.x_batch_stride = is_per_image(from.shape) ? unit_count(from.shape) : 0;
  for (std::size_t d : memory_order(extents.size(), layout)) {
    p.dims.push_back(extents[d].size);
    p.x_strides.push_back(extents[d].stride);
    p.begin.push_back(extents[d].begin);
    p.count.push_back(extents[d].count);
  }
  return to.add_step(node, p, {x}, to.result(node, layout));
}

}  // namespace

void reshape(Lowering& to, const Node& node) { to.alias(node, to.operand(node.inputs[0], Layout::plain)); }

void transpose(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0]);
  const PlanTensor& from = to.tensor(x);
  const std::vector<std::int64_t> strides = strides_of(from.shape, from.layout);
  std::vector<Extent> extents;
  for (std::int64_t source : node.integers("perm")) {
    const auto s = static_cast<std::size_t>(source);
    extents.push_back({from.shape[s].count, strides[s], 0, from.shape[s].count});
  }
  const bool channels_last = to.prefers_channels_last(node.output);
  add_copy(to, node, x, extents, 0, channels_last ? Layout::channels_last : Layout::plain);
}

void slice(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0]);
  const PlanTensor& from = to.tensor(x);
  const Shape& result = to.graph().type(node.output).shape;
  const std::vector<std::int64_t> strides = strides_of(from.shape, from.layout);
  std::vector<Extent> extents;
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < result.size(); ++d) {
    extents.push_back({result[d].count, strides[d] * node.integers("step")[d], 0, result[d].count});
    if (result[d].count > 0) offset += strides[d] * node.integers("begin")[d];
  }
  add_copy(to, node, x, extents, offset, from.layout);
}

void pad(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0]);
  const PlanTensor& from = to.tensor(x);
  const Shape& result = to.graph().type(node.output).shape;
  const std::vector<std::int64_t> strides = strides_of(from.shape, from.layout);
  std::vector<Extent> extents;
  for (std::size_t d = 0; d < result.size(); ++d) {
    extents.push_back({result[d].count, strides[d], node.integers("before")[d], from.shape[d].count});
  }
  add_copy(to, node, x, extents, 0, from.layout).parameters["fill"] = node.real("value");
}

void expand(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0], Layout::plain);
  const PlanTensor& from = to.tensor(x);
  const Shape& result = to.graph().type(node.output).shape;
  const std::vector<std::int64_t> strides = strides_of(from.shape, Layout::plain);
  const std::size_t offset = result.size() - strides.size();
  std::vector<Extent> extents;
  for (std::size_t d = 0; d < result.size(); ++d) {
    const bool repeats = d < offset || from.shape[d - offset].count == 1;
    extents.push_back({result[d].count, repeats ? 0 : strides[d - offset], 0, result[d].count});
  }
  add_copy(to, node, x, extents, 0, Layout::plain);
}

void cat(Lowering& to, const Node& node) {
  const Graph& graph = to.graph();
  const TensorType& y = graph.type(node.output);
  const std::size_t axis = ops::normalized_axis(node.integer("axis"), y.shape.size());
  const bool is_image =
      y.shape.size() == 4 && axis == 1 && to.layout_of(node.inputs[0]) == Layout::channels_last;
  const Layout layout = is_image ? Layout::channels_last : Layout::plain;
  ConcatProblem p{.dtype = y.dtype, .widths = {}, .arithmetic = named<Arithmetic>(node.text("arithmetic"))};
  p.outer = is_image
                ? y.shape[0].count * y.shape[2].count * y.shape[3].count
                : unit_count(Shape(y.shape.begin(), y.shape.begin() + static_cast<std::ptrdiff_t>(axis)));
  if (y.shape[axis].per_image) fail(ErrorCode::unsupported, "joining along the batch");
  std::vector<std::int32_t> inputs;
  for (ValueId id : node.inputs) {
    inputs.push_back(to.operand(id, layout));
    p.widths.push_back(unit_count(graph.type(id).shape) / std::max<std::int64_t>(p.outer, 1));
  }
  to.add_step(node, p, std::move(inputs), to.result(node, layout));
}

void gather(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0], Layout::plain);
  const std::int32_t indices = to.operand(node.inputs[1], Layout::plain);
  const Shape& data = to.tensor(x).shape;
  const auto axis = static_cast<std::ptrdiff_t>(ops::normalized_axis(node.integer("axis"), data.size()));
  GatherProblem p{.bytes = dtype_bytes(to.tensor(x).dtype),
                  .index = to.tensor(indices).dtype,
                  .outer = unit_count(Shape(data.begin(), data.begin() + axis)),
                  .rows = data[static_cast<std::size_t>(axis)].count,
                  .inner = unit_count(Shape(data.begin() + axis + 1, data.end())),
                  .indices = unit_count(to.tensor(indices).shape),
                  .grows_data = is_per_image(data) ? 1 : 0,
                  .grows_indices = is_per_image(to.tensor(indices).shape) ? 1 : 0};
  if ((p.grows_data != 0 && axis == 0) || (p.grows_indices != 0 && (p.outer != 1 || p.grows_data != 0))) {
    fail(ErrorCode::unsupported, "gathering rows {} by indices {} along axis {}", shape_text(data),
         shape_text(to.tensor(indices).shape), axis);
  }
  to.add_step(node, p, {x, indices}, to.result(node, Layout::plain));
}

}  // namespace octavo::lowering
