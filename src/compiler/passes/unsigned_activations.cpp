#include <algorithm>
#include <cstddef>

#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

/// Zero point of the u8 that stands for an s8 with zero point 0.
constexpr std::int64_t kShift = 128;

bool is_signed(const TensorType& type) { return type.dtype == DType::s8 && type.quantization.has_value(); }

/// Whether nodes read `id`, and only as check(node, operand) allows.
template <class Check>
bool is_read_only(const Graph& graph, ValueId id, const Check& check) {
  int readers = 0;
  for (const Node& node : graph.nodes()) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != id) continue;
      if (!check(node, i)) return false;
      ++readers;
    }
  }
  return readers > 0 && readers == graph.use_count(id);
}

bool is_dequantize(const Node& node) { return node.op->name == "dequantize"; }

/// Weights stay s8, as their operators have them.
bool is_weight(const Node& node, std::size_t operand) {
  return operand == 1 &&
         (node.op->name == "conv2d" || node.op->name == "linear" || node.op->name == "matmul");
}

/// Whether the constant `id` is weights and nothing else, in reals or as stored.
bool holds_weights(const Graph& graph, ValueId id) {
  return is_read_only(graph, id, [&](const Node& node, std::size_t operand) {
    return is_weight(node, operand) || (is_dequantize(node) && is_read_only(graph, node.output, is_weight));
  });
}

bool can_change(const Graph& graph, ValueId id) {
  const Node* const quantize = graph.producer(id);
  return quantize != nullptr && quantize->op->name == "quantize" && quantize->text("arithmetic") == "ort" &&
         is_read_only(graph, id, [](const Node& node, std::size_t) { return is_dequantize(node); });
}

}  // namespace

bool unsigned_activations(Graph& graph) {
  std::vector<ValueId> changing;
  for (ValueId id = 0; id < static_cast<ValueId>(graph.values().size()); ++id) {
    const Value& value = graph.value(id);
    if (!is_signed(value.type) || (value.constant && holds_weights(graph, id))) continue;
    if (!can_change(graph, id)) return false;
    changing.push_back(id);
  }
  for (const ValueId id : changing) {
    Node& quantize = *graph.producer(id);
    quantize.attributes["dtype"] = std::string("u8");
    quantize.attributes["zero_point"] = quantize.integer("zero_point") + kShift;
  }
  if (!changing.empty()) graph.infer_types();
  return !changing.empty();
}

}  // namespace octavo
