#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

using Ints = std::vector<std::int64_t>;

/// Whether `pad` surrounds the pixels of an image with the value that stands for zero.
bool is_zero_border(const Graph& graph, const Node& pad) {
  const TensorType& x = graph.type(pad.inputs[0]);
  if (x.shape.size() != 4 || (x.quantization && !x.quantization->is_per_tensor())) return false;
  const Ints& before = pad.integers("before");
  const Ints& after = pad.integers("after");
  const double zero = x.quantization ? x.quantization->zero_point() : 0.0;
  return before[0] == 0 && before[1] == 0 && after[0] == 0 && after[1] == 0 && pad.real("value") == zero;
}

/// FBGEMM rounds the bias of a depthwise convolution with one weight scale by whether it pads itself
/// (docs/numerics.md), so such a pair must stay apart to give its result.
bool rounds_by_padding(const Graph& graph, const Node& conv) {
  const std::optional<Quantization>& weights = graph.type(conv.inputs[1]).quantization;
  return weights && weights->is_per_tensor() && conv.integer("groups") > 1;
}

}  // namespace

bool fold_pad(Graph& graph) {
  bool changed = false;
  for (Node& conv : graph.nodes()) {
    if (conv.op->name != "conv2d" || rounds_by_padding(graph, conv)) continue;
    const Node* pad = graph.producer(conv.inputs[0]);
    if (pad == nullptr || pad->op->name != "pad" || !is_zero_border(graph, *pad)) continue;
    const Ints& before = pad->integers("before");
    const Ints& after = pad->integers("after");
    Ints own = conv.integers("pad");
    own[0] += before[2], own[1] += before[3], own[2] += after[2], own[3] += after[3];
    conv.attributes["pad"] = own;
    conv.inputs[0] = pad->inputs[0];
    changed = true;
  }
  return changed;
}

}  // namespace octavo
