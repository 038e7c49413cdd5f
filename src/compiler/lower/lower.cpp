#include "compiler/lower/lower.h"

#include <array>

#include "base/fail.h"
#include "compiler/graph/op.h"
#include "compiler/lower/lowering.h"

namespace octavo {
namespace {

struct Rule {
  std::string_view op;
  void (*lower)(Lowering&, const Node&);
};

constexpr Rule kRules[] = {
    {"conv2d", lowering::conv2d},
    {"conv2d_add", lowering::conv2d},
    {"linear", lowering::linear},
    {"matmul", lowering::matmul},
    {"matmul_integer", lowering::matmul},
    {"max_pool2d", lowering::pool},
    {"avg_pool2d", lowering::pool},
    {"adaptive_avg_pool2d", lowering::adaptive_pool},
    {"add", lowering::binary},
    {"mul", lowering::binary},
    {"sub", lowering::binary},
    {"div", lowering::binary},
    {"minimum", lowering::binary},
    {"maximum", lowering::binary},
    {"pow", lowering::binary},
    {"quantize", lowering::convert},
    {"dequantize", lowering::convert},
    {"requantize", lowering::convert},
    {"cast", lowering::convert},
    {"dynamic_quantize", lowering::dynamic_quantize},
    {"dynamic_scale", lowering::dynamic_quantize},
    {"dynamic_zero_point", lowering::dynamic_quantize},
    {"reshape", lowering::reshape},
    {"transpose", lowering::transpose},
    {"slice", lowering::slice},
    {"pad", lowering::pad},
    {"expand", lowering::expand},
    {"cat", lowering::cat},
    {"gather", lowering::gather},
    {"mean", lowering::reduce},
    {"sum", lowering::reduce},
    {"reduce_max", lowering::reduce},
    {"reduce_min", lowering::reduce},
    {"softmax", lowering::softmax},
    {"log_softmax", lowering::softmax},
};

void lower_node(Lowering& to, const Node& node) {
  for (const Rule& rule : kRules) {
    if (rule.op == node.op->name) return rule.lower(to, node);
  }
  if (node.op->infer == find_op("sigmoid")->infer || node.op->name == "relu" || node.op->name == "clip") {
    return lowering::unary(to, node);
  }
  fail(ErrorCode::unsupported, "operator {} has no kernels", node.op->name);
}

}  // namespace

std::pair<Plan, std::vector<Tensor>> lower(const Graph& graph) {
  Lowering lowering(graph);
  lowering.begin();
  for (const Node& node : graph.nodes()) {
    try {
      lower_node(lowering, node);
    } catch (const Error& e) {
      throw e.within(fmt::format("{} '{}'", node.op->name, graph.value(node.output).name));
    }
  }
  lowering.finish();
  return lowering.take();
}

}  // namespace octavo
