#include "compiler/graph/op.h"
#include "compiler/lower/lowering.h"
#include "compiler/lower/names.h"
#include "engine/kernels/pool/problem.h"

namespace octavo::lowering {
namespace {

/// Sizes and types that every kind of pooling has.
PoolProblem pool_problem(const Lowering& to, const Node& node) {
  const TensorType& x = to.graph().type(node.inputs[0]);
  const TensorType& y = to.graph().type(node.output);
  return {.x = x.dtype,
          .y = y.dtype,
          .n = x.shape[0].count,
          .c = x.shape[1].count,
          .ih = x.shape[2].count,
          .iw = x.shape[3].count,
          .oh = y.shape[2].count,
          .ow = y.shape[3].count};
}

void add_pool(Lowering& to, const Node& node, const PoolProblem& p) {
  to.add_step(node, p, {to.operand(node.inputs[0], Layout::channels_last)},
              to.result(node, Layout::channels_last));
}

}  // namespace

void pool(Lowering& to, const Node& node) {
  PoolProblem p = pool_problem(to, node);
  const auto& kernel = node.integers("kernel");
  const auto& stride = node.integers("stride");
  const auto& pad = node.integers("pad");
  const auto& dilation = node.integers("dilation");
  p.kh = kernel[0], p.kw = kernel[1], p.sh = stride[0], p.sw = stride[1];
  p.pt = pad[0], p.pl = pad[1], p.pb = pad[2], p.pr = pad[3];
  p.dh = dilation[0], p.dw = dilation[1];
  if (node.op->name == "avg_pool2d") {
    p.kind = PoolKind::average;
    p.count_include_pad = node.integer("count_include_pad");
    p.rounding = named<AverageRounding>(node.text("rounding"));
  }
  add_pool(to, node, p);
}

void adaptive_pool(Lowering& to, const Node& node) {
  PoolProblem p = pool_problem(to, node);
  p.kind = PoolKind::adaptive_average;
  p.rounding = named<AverageRounding>(node.text("rounding"));
  add_pool(to, node, p);
}

}  // namespace octavo::lowering
