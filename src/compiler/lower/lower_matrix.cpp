#include "base/fail.h"
#include "compiler/graph/op.h"
#include "compiler/lower/lowering.h"
#include "compiler/lower/names.h"
#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/linear/problem.h"
#include "engine/kernels/matmul/problem.h"

namespace octavo::lowering {
namespace {

Bias bias_kind(const Lowering& to, ValueId bias) {
  if (bias == kNoValue) return Bias::none;
  const DType dtype = to.graph().type(bias).dtype;
  if (dtype == DType::f32) return Bias::f32;
  if (dtype == DType::s32) return Bias::s32;
  fail(ErrorCode::unsupported, "a bias of {}", dtype_name(dtype));
}

void set_clamp(Step& step, const Node& node) {
  if (node.text("activation") != "clamp") return;
  step.parameters["lo"] = node.real("lo");
  step.parameters["hi"] = node.real("hi");
}

/// The extents of an operand of matmul before its matrix, as one factor; 1 for a plain matrix.
std::int64_t leading_count(const Shape& shape) { return unit_count(Shape(shape.begin(), shape.end() - 2)); }

}  // namespace

void conv2d(Lowering& to, const Node& node) {
  const Graph& graph = to.graph();
  const bool adds = node.op->name == "conv2d_add";
  const TensorType& x = graph.type(node.inputs[0]);
  const TensorType& w = graph.type(node.inputs[1]);
  const TensorType& y = graph.type(node.output);
  const ValueId bias = node.input(adds ? 3 : 2);
  const auto& stride = node.integers("stride");
  const auto& pad = node.integers("pad");
  const auto& dilation = node.integers("dilation");
  Conv2dProblem p{.x = x.dtype,
                  .w = w.dtype,
                  .y = y.dtype,
                  .n = x.shape[0].count,
                  .ic = x.shape[1].count,
                  .ih = x.shape[2].count,
                  .iw = x.shape[3].count,
                  .oc = w.shape[0].count,
                  .kh = w.shape[2].count,
                  .kw = w.shape[3].count,
                  .sh = stride[0],
                  .sw = stride[1],
                  .pt = pad[0],
                  .pl = pad[1],
                  .pb = pad[2],
                  .pr = pad[3],
                  .dh = dilation[0],
                  .dw = dilation[1],
                  .g = node.integer("groups"),
                  .bias = bias_kind(to, bias),
                  .activation = named<Activation>(node.text("activation")),
                  .residual = !adds ? 0 : 1 + node.integer("residual_first"),
                  .arithmetic = named<Arithmetic>(node.text("arithmetic"))};
  std::vector<std::int32_t> inputs{to.operand(node.inputs[0], Layout::channels_last),
                                   to.operand(node.inputs[1])};
  if (adds) {
    p.r = graph.type(node.inputs[2]).dtype;
    p.conv_activation = named<Activation>(node.text("conv_activation"));
    inputs.push_back(to.operand(node.inputs[2], Layout::channels_last));
  }
  if (bias != kNoValue) inputs.push_back(to.operand(bias));
  Step& step = to.add_step(node, p, std::move(inputs), to.result(node, Layout::channels_last));
  set_clamp(step, node);
  if (adds && node.has("conv_scale")) {
    step.parameters["conv_scale"] = node.real("conv_scale");
    step.parameters["conv_zero_point"] = static_cast<double>(node.integer("conv_zero_point"));
  }
}

void linear(Lowering& to, const Node& node) {
  const Graph& graph = to.graph();
  const TensorType& x = graph.type(node.inputs[0]);
  const TensorType& w = graph.type(node.inputs[1]);
  const ValueId bias = node.input(2);
  LinearProblem p{.x = x.dtype,
                  .w = w.dtype,
                  .y = graph.type(node.output).dtype,
                  .m = unit_count(Shape(x.shape.begin(), x.shape.end() - 1)),
                  .ic = w.shape[1].count,
                  .oc = w.shape[0].count,
                  .bias = bias_kind(to, bias),
                  .activation = named<Activation>(node.text("activation")),
                  .arithmetic = named<Arithmetic>(node.text("arithmetic"))};
  std::vector<std::int32_t> inputs{to.operand(node.inputs[0], Layout::plain), to.operand(node.inputs[1])};
  if (bias != kNoValue) inputs.push_back(to.operand(bias));
  set_clamp(to.add_step(node, p, std::move(inputs), to.result(node, Layout::plain)), node);
}

void matmul(Lowering& to, const Node& node) {
  const Graph& graph = to.graph();
  const bool is_integer = node.op->name == "matmul_integer";
  Shape a = graph.type(node.inputs[0]).shape;
  Shape b = graph.type(node.inputs[1]).shape;
  if (a.size() == 1) a.insert(a.begin(), Dim{1, false});
  if (b.size() == 1) b.push_back(Dim{1, false});
  MatmulProblem p{.a = graph.type(node.inputs[0]).dtype,
                  .b = graph.type(node.inputs[1]).dtype,
                  .y = graph.type(node.output).dtype,
                  .a_batches = leading_count(a),
                  .b_batches = leading_count(b),
                  .m = a[a.size() - 2].count,
                  .k = a.back().count,
                  .n = b.back().count};
  p.batches = std::max(p.a_batches, p.b_batches);
  const bool fits =
      (p.a_batches == 1 || p.a_batches == p.batches) && (p.b_batches == 1 || p.b_batches == p.batches);
  const bool same_leading =
      p.a_batches == 1 || p.b_batches == 1 || Shape(a.begin(), a.end() - 2) == Shape(b.begin(), b.end() - 2);
  if (!fits || !same_leading) {
    fail(ErrorCode::unsupported, "matrix product of {} and {}", shape_text(a), shape_text(b));
  }
  const bool a_grows = is_per_image(a);
  const bool b_grows = is_per_image(b);
  if (a_grows && !b_grows && p.batches == 1) {
    p.grows = MatmulGrows::rows;  // a matrix for each image, all times one: a higher matrix
  } else if (a_grows || b_grows) {
    if (a.size() < 3 || !a_grows || (b_grows ? p.a_batches != p.b_batches : p.b_batches != 1)) {
      fail(ErrorCode::unsupported, "matrix product of {} and {}", shape_text(a), shape_text(b));
    }
    p.grows = MatmulGrows::batches;
  }
  std::vector<std::int32_t> inputs{to.operand(node.inputs[0], Layout::plain),
                                   to.operand(node.inputs[1], Layout::plain)};
  if (is_integer) {
    p.a_zero_point = node.input(2) != kNoValue ? 1 : 0;
    p.b_zero_point = node.input(3) != kNoValue ? 1 : 0;
    if (p.a_zero_point != 0) inputs.push_back(to.operand(node.inputs[2]));
    if (p.b_zero_point != 0) inputs.push_back(to.operand(node.inputs[3]));
  }
  to.add_step(node, p, std::move(inputs), to.result(node, Layout::plain));
}

}  // namespace octavo::lowering
