#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

/// Zero point of the u8 that stands for an s8 with zero point 0.
constexpr std::int64_t kShift = 128;

/// Whether nodes read `id`, each to turn it back into reals, and nothing else does.
bool is_only_dequantized(const Graph& graph, ValueId id) {
  int readers = 0;
  for (const Node& node : graph.nodes()) {
    if (node.op->name == "dequantize" && node.inputs[0] == id) ++readers;
  }
  return readers > 0 && readers == graph.use_count(id);
}

}  // namespace

bool unsigned_activations(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes()) {
    const bool is_signed = node.op->name == "quantize" && node.text("dtype") == "s8";
    if (!is_signed || node.text("arithmetic") != "ort" || !is_only_dequantized(graph, node.output)) continue;
    node.attributes["dtype"] = std::string("u8");
    node.attributes["zero_point"] = node.integer("zero_point") + kShift;
    changed = true;
  }
  if (changed) graph.infer_types();
  return changed;
}

}  // namespace octavo
