#include <cmath>

#include "compiler/graph/op.h"
#include "compiler/passes/passes.h"

namespace octavo {
namespace {

struct Affine {
  std::vector<double> factor;
  std::vector<double> offset;
};

/// y = x * factor + offset, per channel.
Affine affine_of(const Graph& graph, const Node& bn) {
  const auto parameter = [&](std::size_t i) { return graph.value(bn.inputs[i]).constant->as<float>(); };
  Affine affine;
  const auto gamma = parameter(1), beta = parameter(2), mean = parameter(3), var = parameter(4);
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double factor = gamma[c] / std::sqrt(static_cast<double>(var[c]) + bn.real("eps"));
    affine.factor.push_back(factor);
    affine.offset.push_back(beta[c] - mean[c] * factor);
  }
  return affine;
}

bool has_constant_parameters(const Graph& graph, const Node& bn) {
  for (std::size_t i = 1; i < 5; ++i) {
    const Value& value = graph.value(bn.inputs[i]);
    if (!value.constant || value.type.dtype != DType::f32) return false;
  }
  return true;
}

/// The float convolution or linear layer whose result only this batch-norm reads; nullptr when there is none.
Node* foldable_producer(Graph& graph, const Node& bn) {
  Node* before = graph.producer(bn.inputs[0]);
  if (before == nullptr || (before->op->name != "conv2d" && before->op->name != "linear")) return nullptr;
  const bool is_plain = before->text("activation") == "none" && graph.use_count(before->output) == 1 &&
                        graph.type(before->inputs[1]).dtype == DType::f32 &&
                        graph.value(before->inputs[1]).constant.has_value() &&
                        (before->input(2) == kNoValue || graph.value(before->input(2)).constant.has_value());
  // A batch-norm's channel is extent 1; a linear layer's output channel is its last.
  const bool channels_agree = before->op->name == "conv2d" || graph.type(before->output).shape.size() == 2;
  return is_plain && channels_agree ? before : nullptr;
}

void fold(Graph& graph, Node& layer, const Affine& affine) {
  Tensor weights = *graph.value(layer.inputs[1]).constant;
  const std::size_t channels = affine.factor.size();
  const std::size_t per_channel = weights.as<float>().size() / channels;
  Tensor bias(DType::f32, {static_cast<std::int64_t>(channels)});
  for (std::size_t c = 0; c < channels; ++c) {
    for (float& w : weights.as<float>().subspan(c * per_channel, per_channel)) {
      w = static_cast<float>(w * affine.factor[c]);
    }
    const double old =
        layer.input(2) == kNoValue ? 0.0 : graph.value(layer.input(2)).constant->as<float>()[c];
    bias.as<float>()[c] = static_cast<float>(old * affine.factor[c] + affine.offset[c]);
  }
  const std::string name = graph.value(layer.output).name;
  const ValueId w = graph.add_constant(name + ".w", std::move(weights));
  const ValueId b = graph.add_constant(name + ".b", std::move(bias));
  layer.inputs = {layer.inputs[0], w, b};
}

}  // namespace

bool fold_batchnorm(Graph& graph) {
  bool changed = false;
  for (Node& bn : graph.nodes()) {
    if (bn.op->name != "batchnorm" || !has_constant_parameters(graph, bn)) continue;
    Node* layer = foldable_producer(graph, bn);
    if (layer == nullptr) continue;
    fold(graph, *layer, affine_of(graph, bn));
    graph.replace_uses(bn.output, layer->output);
    changed = true;
  }
  return changed;
}

bool decompose_batchnorm(Graph& graph) {
  bool changed = false;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    if (graph.nodes()[i].op->name != "batchnorm") continue;
    const Node bn = graph.nodes()[i];
    const Shape& shape = graph.type(bn.inputs[0]).shape;
    Shape per_channel(shape.size() - 1, Dim{1, false});
    per_channel[0] = shape[1];
    std::size_t at = i;
    const auto put = [&](std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {}) {
      return graph.insert(at++, op, std::move(inputs), std::move(attributes), "", bn.origin);
    };
    const auto spread = [&](std::size_t input) {
      return put("reshape", {bn.inputs[input]}, {{"shape", per_channel}});
    };
    Tensor eps(DType::f32, {1});
    eps.as<float>()[0] = static_cast<float>(bn.real("eps"));
    const ValueId centred = put("sub", {bn.inputs[0], spread(3)});
    const ValueId deviation =
        put("sqrt", {put("add", {spread(4), graph.add_constant("eps", std::move(eps))})});
    const ValueId scaled = put("mul", {put("div", {centred, deviation}), spread(1)});
    graph.replace_uses(bn.output, put("add", {scaled, spread(2)}));
    graph.nodes().erase(graph.nodes().begin() + static_cast<std::ptrdiff_t>(at));
    changed = true;
  }
  return changed;
}

}  // namespace octavo
