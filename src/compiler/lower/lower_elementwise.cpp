#include <algorithm>

#include "base/fail.h"
#include "compiler/graph/op.h"
#include "compiler/lower/lowering.h"
#include "compiler/lower/names.h"
#include "engine/kernels/convert/dynamic_problem.h"
#include "engine/kernels/convert/problem.h"
#include "engine/kernels/eltwise/binary_problem.h"
#include "engine/kernels/eltwise/unary_problem.h"

namespace octavo::lowering {
namespace {

/// Strides of an operand along the result's logical extents: 0 where it is broadcast.
std::vector<std::int64_t> broadcast_strides(const PlanTensor& operand, const Shape& result) {
  const std::vector<std::int64_t> own = strides_of(operand.shape, operand.layout);
  std::vector<std::int64_t> strides(result.size(), 0);
  const std::size_t offset = result.size() - own.size();
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (operand.shape[i].count != 1) strides[offset + i] = own[i];
  }
  return strides;
}

/// The extents of a binary problem, adjacent ones merged where both operands allow it.
void merge_extents(BinaryProblem& p) {
  std::vector<std::int64_t> dims, a, b;
  for (std::size_t i = 0; i < p.dims.size(); ++i) {
    if (p.dims[i] == 1) continue;
    const bool merges =
        !dims.empty() && a.back() == p.a_strides[i] * p.dims[i] && b.back() == p.b_strides[i] * p.dims[i];
    if (merges) {
      dims.back() *= p.dims[i];
      a.back() = p.a_strides[i];
      b.back() = p.b_strides[i];
    } else {
      dims.push_back(p.dims[i]);
      a.push_back(p.a_strides[i]);
      b.push_back(p.b_strides[i]);
    }
  }
  if (dims.empty()) {
    dims = a = b = {1};
  }
  p.dims = std::move(dims);
  p.a_strides = std::move(a);
  p.b_strides = std::move(b);
}

/// The layout of an elementwise result: that of the first operand with the result's shape.
Layout result_layout(const Lowering& to, const Node& node) {
  const Shape& shape = to.graph().type(node.output).shape;
  for (ValueId id : node.inputs) {
    if (to.graph().type(id).shape == shape) return to.layout_of(id);
  }
  return Layout::plain;
}

}  // namespace

void binary(Lowering& to, const Node& node) {
  const Graph& graph = to.graph();
  const TensorType& y = graph.type(node.output);
  const Layout layout = result_layout(to, node);
  const std::int32_t a = to.operand(node.inputs[0]);
  const std::int32_t b = to.operand(node.inputs[1]);
  const std::vector<std::int64_t> a_strides = broadcast_strides(to.tensor(a), y.shape);
  const std::vector<std::int64_t> b_strides = broadcast_strides(to.tensor(b), y.shape);
  BinaryProblem p{.kind = named<BinaryKind>(node.op->name),
                  .a = to.tensor(a).dtype,
                  .b = to.tensor(b).dtype,
                  .y = y.dtype,
                  .dims = {},
                  .a_strides = {},
                  .b_strides = {},
                  .a_batch_stride = is_per_image(to.tensor(a).shape) ? unit_count(to.tensor(a).shape) : 0,
                  .b_batch_stride = is_per_image(to.tensor(b).shape) ? unit_count(to.tensor(b).shape) : 0};
  for (std::size_t d : memory_order(y.shape.size(), layout)) {
    p.dims.push_back(y.shape[d].count);
    p.a_strides.push_back(a_strides[d]);
    p.b_strides.push_back(b_strides[d]);
  }
  merge_extents(p);
  const bool may_be_quantized = node.op->name == "add" || node.op->name == "mul";
  if (may_be_quantized) {
    p.activation = named<Activation>(node.text("activation"));
    p.arithmetic = named<Arithmetic>(node.text("arithmetic"));
  }
  Step& step = to.add_step(node, p, {a, b}, to.result(node, layout));
  if (p.activation == Activation::clamp) {
    step.parameters["lo"] = node.real("lo");
    step.parameters["hi"] = node.real("hi");
  }
}

void unary(Lowering& to, const Node& node) {
  const TensorType& y = to.graph().type(node.output);
  const std::int32_t x = to.operand(node.inputs[0]);
  UnaryProblem p{.kind = named<UnaryKind>(node.op->name),
                 .x = to.tensor(x).dtype,
                 .y = y.dtype,
                 .count = unit_count(y.shape)};
  const auto declares = [&](std::string_view name) {
    return std::any_of(node.op->attributes.begin(), node.op->attributes.end(),
                       [&](const AttributeDef& def) { return def.name == name; });
  };
  if (declares("arithmetic")) p.arithmetic = named<Arithmetic>(node.text("arithmetic"));
  Step& step = to.add_step(node, p, {x}, to.result(node, to.layout_of(node.inputs[0])));
  for (std::string_view name : {"lo", "hi", "alpha", "beta"}) {
    if (declares(name)) step.parameters[std::string(name)] = node.real(name);
  }
}

void convert(Lowering& to, const Node& node) {
  const TensorType& y = to.graph().type(node.output);
  const std::int32_t x = to.operand(node.inputs[0]);
  const PlanTensor& from = to.tensor(x);
  ConvertProblem p{.kind = named<ConvertKind>(node.op->name), .x = from.dtype, .y = y.dtype};
  if (node.op->name == "quantize" || node.op->name == "requantize") {
    p.arithmetic = named<Arithmetic>(node.text("arithmetic"));
  }
  Layout layout = from.layout;
  const bool per_axis = from.quantization && !from.quantization->is_per_tensor();
  if (per_axis) {
    if (from.layout != Layout::plain)
      fail(ErrorCode::unsupported, "an image with a quantization per channel");
    const auto axis = static_cast<std::size_t>(from.quantization->axis);
    const auto at = from.shape.begin() + static_cast<std::ptrdiff_t>(axis);
    p.n = unit_count(Shape(from.shape.begin(), at));
    p.c = at->count;
    p.s = unit_count(Shape(at + 1, from.shape.end()));
  } else if (from.layout == Layout::plain && to.prefers_channels_last(node.output)) {
    p.n = y.shape[0].count;
    p.c = y.shape[1].count;
    p.s = y.shape[2].count * y.shape[3].count;
    p.channels_last = 1;
    layout = Layout::channels_last;
  } else {
    p.s = unit_count(y.shape);
  }
  to.add_step(node, p, {x}, to.result(node, layout));
}

void dynamic_quantize(Lowering& to, const Node& node) {
  const std::int32_t x = to.operand(node.inputs[0], Layout::plain);
  DynamicQuantizeProblem p{.result = DynamicResult::values, .count = unit_count(to.tensor(x).shape)};
  if (node.op->name == "dynamic_scale") p.result = DynamicResult::scale;
  if (node.op->name == "dynamic_zero_point") p.result = DynamicResult::zero_point;
  to.add_step(node, p, {x}, to.result(node, Layout::plain));
  if (is_per_image(to.tensor(x).shape)) to.needs_whole_batch();
}

}  // namespace octavo::lowering
