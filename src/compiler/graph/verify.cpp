#include <set>

#include "base/fail.h"
#include "compiler/graph/op.h"

namespace octavo {
namespace {

void verify_node(const Graph& graph, const Node& node, std::vector<bool>& known) {
  if (node.op == nullptr || find_op(node.op->name) != node.op)
    fail(ErrorCode::internal, "operator is unknown");
  for (ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    if (id < 0 || static_cast<std::size_t>(id) >= known.size())
      fail(ErrorCode::internal, "input {} is no value", id);
    if (!known[static_cast<std::size_t>(id)]) {
      fail(ErrorCode::internal, "input '{}' is read before it is computed", graph.value(id).name);
    }
  }
  if (node.output < 0 || static_cast<std::size_t>(node.output) >= known.size()) {
    fail(ErrorCode::internal, "result {} is no value", node.output);
  }
  if (known[static_cast<std::size_t>(node.output)]) fail(ErrorCode::internal, "the result is computed twice");
  known[static_cast<std::size_t>(node.output)] = true;
  if (node.op->infer(OpInputs(graph, node)) != graph.type(node.output)) {
    fail(ErrorCode::internal, "the stored type is not the inferred one");
  }
}

}  // namespace

void verify(const Graph& graph) {
  std::vector<bool> known(graph.values().size(), false);
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < known.size(); ++i) {
    known[i] = graph.values()[i].constant.has_value();
    if (!names.insert(graph.values()[i].name).second) {
      fail(ErrorCode::internal, "two values are named '{}'", graph.values()[i].name);
    }
  }
  for (ValueId id : graph.inputs) known.at(static_cast<std::size_t>(id)) = true;
  for (const Node& node : graph.nodes()) {
    try {
      verify_node(graph, node, known);
    } catch (const Error& e) {
      const bool has_name = node.output >= 0 && static_cast<std::size_t>(node.output) < known.size();
      throw Error(ErrorCode::internal, e.what()).within(has_name ? graph.value(node.output).name : "a node");
    }
  }
  if (graph.outputs.empty()) fail(ErrorCode::internal, "the graph has no outputs");
  for (const GraphOutput& out : graph.outputs) {
    if (out.value < 0 || static_cast<std::size_t>(out.value) >= known.size() ||
        !known[static_cast<std::size_t>(out.value)]) {
      fail(ErrorCode::internal, "output '{}' is not computed", out.name);
    }
  }
}

}  // namespace octavo
