#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

/// The convolution that computes `id` for one reader only, without a clamp of its own; nullptr when there is
/// none.
const Node* fusable_conv(const Graph& graph, ValueId id) {
  const Node* conv = graph.producer(id);
  const bool fits = conv != nullptr && conv->op->name == "conv2d" && conv->text("activation") != "clamp" &&
                    graph.use_count(id) == 1;
  return fits ? conv : nullptr;
}

/// `side`: which operand of `add` is `conv`.
Attributes fused_attributes(const Node& conv, const Node& add, std::size_t side) {
  Attributes attributes = conv.attributes;
  for (std::string_view name : {"scale", "zero_point", "dtype", "arithmetic", "activation", "lo", "hi"}) {
    attributes.erase(std::string(name));
  }
  for (const auto& [name, value] : add.attributes) attributes[name] = value;
  attributes["conv_activation"] = conv.text("activation");
  if (conv.has("scale")) {
    attributes["conv_scale"] = conv.real("scale");
    attributes["conv_zero_point"] = conv.integer("zero_point");
    if (add.text("arithmetic") == "ort" && side == 1) attributes["residual_first"] = std::int64_t{1};
  }
  return attributes;
}

/// The intermediate result of a fused convolution has the dtype of the sum, and is added in the arithmetic in
/// which it was computed: only such pairs are fused.
bool types_fit(const Graph& graph, const Node& conv, const Node& add, ValueId residual) {
  const TensorType& sum = graph.type(add.output);
  return graph.type(conv.output).dtype == sum.dtype && graph.type(residual).dtype == sum.dtype &&
         graph.type(residual).shape == sum.shape && graph.type(conv.output).shape == sum.shape &&
         conv.text("arithmetic") == add.text("arithmetic");
}

}  // namespace

bool fuse_residual_add(Graph& graph) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& add = graph.nodes()[i];
    if (add.op->name != "add" || add.inputs[0] == add.inputs[1]) continue;
    for (std::size_t side : {0U, 1U}) {
      const ValueId residual = add.inputs[1 - side];
      const Node* conv = fusable_conv(graph, add.inputs[side]);
      if (conv == nullptr || !types_fit(graph, *conv, add, residual)) continue;
      std::vector<ValueId> inputs{conv->inputs[0], conv->inputs[1], residual};
      if (conv->input(2) != kNoValue) inputs.push_back(conv->input(2));
      const ValueId old = add.output;
      const ValueId sum = graph.insert(i, "conv2d_add", std::move(inputs), fused_attributes(*conv, add, side),
                                       graph.value(old).name, add.origin);
      graph.replace_uses(old, sum);
      graph.nodes().erase(graph.nodes().begin() + static_cast<std::ptrdiff_t>(i) + 1);
      changed = true;
      break;
    }
  }
  return changed;
}

}  // namespace octavo
