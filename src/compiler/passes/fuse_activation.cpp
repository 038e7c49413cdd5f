#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

bool takes_activation(const Node& node) {
  return node.op->name == "conv2d" || node.op->name == "conv2d_add" || node.op->name == "linear" ||
         node.op->name == "add";
}

}  // namespace

bool fuse_activation(Graph& graph) {
  bool changed = false;
  for (Node& node : graph.nodes()) {
    const bool is_relu = node.op->name == "relu";
    if (!is_relu && node.op->name != "clip") continue;
    Node* before = graph.producer(node.inputs[0]);
    if (before == nullptr || !takes_activation(*before) || before->text("activation") != "none") continue;
    const DType dtype = graph.type(before->output).dtype;
    const bool is_kernel_dtype = dtype == DType::f32 || dtype == DType::u8 || dtype == DType::s8;
    if (graph.use_count(before->output) != 1 || !is_kernel_dtype) continue;
    before->attributes["activation"] = std::string(is_relu ? "relu" : "clamp");
    if (!is_relu) {
      before->attributes["lo"] = node.real("lo");
      before->attributes["hi"] = node.real("hi");
    }
    graph.replace_uses(node.output, before->output);
    changed = true;
  }
  return changed;
}

}  // namespace octavo
