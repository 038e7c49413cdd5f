#include <algorithm>

#include "base/fail.h"
#include "compiler/graph/evaluate.h"
#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

// A constant much larger than what it was made from (an expand, say) would only bloat the package.
constexpr std::int64_t kMostElements = std::int64_t{1} << 26;

bool is_foldable(const Graph& graph, const Node& node) {
  // Dequantized weights stay pairs of integers and scale: the quantized operators want them so.
  if (node.op->name == "dequantize") return false;
  const auto is_known = [&](ValueId id) { return id == kNoValue || graph.value(id).constant.has_value(); };
  return std::all_of(node.inputs.begin(), node.inputs.end(), is_known) &&
         element_count(graph.type(node.output).shape).count <= kMostElements;
}

/// Computes one node as a graph of its own.
Tensor value_of(const Graph& graph, const Node& node) {
  Graph alone;
  alone.name = "constant";
  std::vector<ValueId> inputs;
  for (ValueId id : node.inputs) {
    if (id == kNoValue) {
      inputs.push_back(kNoValue);
      continue;
    }
    const Value& value = graph.value(id);
    inputs.push_back(alone.add_constant(value.name, Tensor(*value.constant), value.type.quantization));
  }
  alone.outputs.push_back({"y", alone.add(node.op->name, inputs, node.attributes, "y")});
  return evaluate(alone);
}

}  // namespace

bool fold_constants(Graph& graph) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!is_foldable(graph, node)) continue;
    Value& result = graph.value(node.output);
    result.constant = value_of(graph, node);
    graph.nodes().erase(graph.nodes().begin() + static_cast<std::ptrdiff_t>(i--));
    changed = true;
  }
  return changed;
}

}  // namespace octavo
