#include <algorithm>

#include "base/fail.h"
#include "compiler/graph/op.h"
#include "compiler/graph/ops/infer.h"
#include "compiler/lower/lowering.h"
#include "compiler/lower/names.h"
#include "engine/kernels/copy/problem.h"
#include "engine/kernels/pool/problem.h"
#include "engine/kernels/reduce/problem.h"
#include "engine/kernels/softmax/problem.h"

namespace octavo::lowering {
namespace {

ReduceKind reduce_kind(std::string_view op) {
  if (op == "mean") return ReduceKind::mean;
  if (op == "sum") return ReduceKind::sum;
  return op == "reduce_max" ? ReduceKind::maximum : ReduceKind::minimum;
}

/// The operand with the reduced extents moved behind the kept ones, so that they lie together.
std::int32_t moved_behind(Lowering& to, const Node& node, std::int32_t x, const std::vector<bool>& reduced) {
  const PlanTensor& from = to.tensor(x);
  const std::vector<std::int64_t> strides = strides_of(from.shape, from.layout);
  TensorType type{from.dtype, {}, from.quantization};
  CopyProblem p{.bytes = dtype_bytes(from.dtype), .dims = {}, .x_strides = {}, .begin = {}, .count = {}};
  p.x_batch_stride = is_per_image(from.shape) ? unit_count(from.shape) : 0;
  for (bool wanted : {false, true}) {
    for (std::size_t d = 0; d < reduced.size(); ++d) {
      if (reduced[d] != wanted) continue;
      type.shape.push_back(from.shape[d]);
      p.dims.push_back(from.shape[d].count);
      p.x_strides.push_back(strides[d]);
      p.begin.push_back(0);
      p.count.push_back(from.shape[d].count);
    }
  }
  const std::int32_t moved = to.temporary(from.name, std::move(type), Layout::plain);
  to.add_step(node, p, {x}, moved);
  return moved;
}

}  // namespace

void reduce(Lowering& to, const Node& node) {
  const Graph& graph = to.graph();
  const Shape& shape = graph.type(node.inputs[0]).shape;
  std::vector<bool> reduced(shape.size(), false);
  for (std::int64_t axis : node.integers("axes")) reduced[ops::normalized_axis(axis, shape.size())] = true;
  ReduceProblem p{.kind = reduce_kind(node.op->name),
                  .x = graph.type(node.inputs[0]).dtype,
                  .y = graph.type(node.output).dtype,
                  .rounding = static_cast<std::int64_t>(named<AverageRounding>(node.text("rounding")))};
  const bool over_pixels = to.layout_of(node.inputs[0]) == Layout::channels_last &&
                           reduced == std::vector<bool>{false, false, true, true};
  std::int32_t x = to.operand(node.inputs[0], over_pixels ? Layout::channels_last : Layout::plain);
  if (over_pixels) {
    p.outer = shape[0].count;
    p.count = shape[2].count * shape[3].count;
    p.inner = shape[1].count;
  } else {
    for (std::size_t d = 0; d < shape.size(); ++d) (reduced[d] ? p.count : p.outer) *= shape[d].count;
    const bool already_behind = std::is_sorted(reduced.begin(), reduced.end());
    if (!already_behind) x = moved_behind(to, node, x, reduced);
  }
  to.add_step(node, p, {x}, to.result(node, Layout::plain));
}

void softmax(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0], Layout::plain);
  const Shape& shape = to.tensor(x).shape;
  const auto axis = static_cast<std::ptrdiff_t>(ops::normalized_axis(node.integer("axis"), shape.size()));
  const SoftmaxProblem p{.outer = unit_count(Shape(shape.begin(), shape.begin() + axis)),
                         .count = shape[static_cast<std::size_t>(axis)].count,
                         .inner = unit_count(Shape(shape.begin() + axis + 1, shape.end())),
                         .log = node.op->name == "log_softmax" ? 1 : 0};
  to.add_step(node, p, {x}, to.result(node, Layout::plain));
}

}  // namespace octavo::lowering
