#include "compiler/import/onnx/dlrm/pattern.h"

#include <algorithm>

#include "base/fail.h"
#include "compiler/import/onnx/dlrm/bags.h"
#include "compiler/import/onnx/model_import.h"

namespace octavo::onnx_import {
namespace {

[[noreturn]] void unexpected(const GraphIndex& index, const std::string& value, std::string_view expected) {
  const onnx::NodeProto* node = index.producer(value);
  fail(ErrorCode::unsupported, "no DLRM: {}, expected {}",
       node == nullptr ? fmt::format("value '{:.200}' is an input or a constant", value) : node_text(*node),
       expected);
}

float real_attribute(const onnx::NodeProto& node, std::string_view name, float fallback) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.f();
  }
  return fallback;
}

/// A layer and the value it reads.
struct FoundLayer {
  LayerPlace place;
  std::string input;
};

std::optional<FoundLayer> gemm_layer(const GraphIndex& index, const onnx::NodeProto& node) {
  if (node.input_size() != 3 || index.constant(node.input(1)) == nullptr ||
      index.constant(node.input(2)) == nullptr || integer_attribute(node, "transA", 0) != 0 ||
      real_attribute(node, "alpha", 1.0F) != 1.0F || real_attribute(node, "beta", 1.0F) != 1.0F) {
    return std::nullopt;
  }
  return FoundLayer{{node.input(1), node.input(2), integer_attribute(node, "transB", 0) == 0}, node.input(0)};
}

/// Add(MatMul(x, weights), bias), the operands of Add in either order.
std::optional<FoundLayer> matmul_layer(const GraphIndex& index, const onnx::NodeProto& node) {
  for (int side = 0; side < 2 && node.input_size() == 2; ++side) {
    const onnx::NodeProto* product = index.producer(node.input(side), "MatMul");
    const std::string& bias = node.input(1 - side);
    if (product == nullptr || product->input_size() != 2 || index.constant(bias) == nullptr) continue;
    if (index.constant(product->input(1)) == nullptr) continue;
    return FoundLayer{{product->input(1), bias, true}, product->input(0)};
  }
  return std::nullopt;
}

std::optional<FoundLayer> layer_at(const GraphIndex& index, const std::string& value) {
  const onnx::NodeProto* node = index.producer(value);
  if (node == nullptr) return std::nullopt;
  if (node->op_type() == "Gemm") return gemm_layer(index, *node);
  if (node->op_type() == "Add") return matmul_layer(index, *node);
  return std::nullopt;
}

/// The layers up to `value`, of which the last has the activation `last` and the others Relu; `value` becomes
/// what the first layer reads.
std::vector<LayerPlace> layers_up_to(const GraphIndex& index, std::string& value, std::string_view last) {
  std::vector<LayerPlace> layers;
  for (int steps = index.graph().node_size(); steps > 0; --steps) {
    const onnx::NodeProto* activation = index.producer(value, layers.empty() ? last : "Relu");
    if (activation == nullptr || activation->input_size() != 1) break;
    const auto found = layer_at(index, activation->input(0));
    if (!found) unexpected(index, activation->input(0), "a layer with constant weights and bias");
    layers.insert(layers.begin(), found->place);
    value = found->input;
  }
  if (layers.empty()) unexpected(index, value, last);
  return layers;
}

std::vector<std::string> inputs_of(const onnx::NodeProto& node) {
  return {node.input().begin(), node.input().end()};
}

/// Whether the indices are those of the products that `interaction` takes out of T·Tᵀ for `vectors` vectors.
bool are_pairs(const std::vector<std::int64_t>& found, std::int64_t vectors, Interaction interaction) {
  const std::int64_t self = interaction == Interaction::dot_with_self ? 1 : 0;
  std::size_t at = 0;
  for (std::int64_t i = 0; i < vectors; ++i) {
    for (std::int64_t j = 0; j < i + self; ++j, ++at) {
      if (at >= found.size() || found[at] != i * vectors + j) return false;
    }
  }
  return at == found.size();
}

/// Behind the Gather of products: T·Tᵀ of  T = Concat(x, e0, …). Gives x, e0, ….
std::vector<std::string> vectors_of_products(const GraphIndex& index, const onnx::NodeProto& gather,
                                             DlrmPattern& pattern) {
  const std::string product = index.origin(gather.input(0));
  const onnx::NodeProto* matmul = index.producer(product, "MatMul");
  if (matmul == nullptr || matmul->input_size() != 2) unexpected(index, product, "MatMul(T, transposed T)");
  const onnx::NodeProto* transpose = index.producer(matmul->input(1), "Transpose");
  if (transpose == nullptr || transpose->input_size() != 1 || transpose->input(0) != matmul->input(0)) {
    unexpected(index, matmul->input(1), "the transpose of the other operand");
  }
  const std::string vectors = index.origin(matmul->input(0));
  const onnx::NodeProto* concat = index.producer(vectors, "Concat");
  if (concat == nullptr) unexpected(index, vectors, "Concat of x and the embeddings");
  const auto pairs = index.integers(gather.input(1));
  const std::int64_t count = concat->input_size();
  for (const Interaction candidate : {Interaction::dot, Interaction::dot_with_self}) {
    pattern.interaction = candidate;
    if (pairs && are_pairs(*pairs, count, candidate)) return inputs_of(*concat);
  }
  fail(ErrorCode::unsupported, "{}: its indices are not those of the triangle of {} vectors",
       node_text(gather), count);
}

}  // namespace

DlrmPattern find_dlrm(const GraphIndex& index) {
  DlrmPattern pattern;
  if (index.graph().output_size() != 1) {
    fail(ErrorCode::unsupported, "no DLRM: {} outputs, expected one", index.graph().output_size());
  }
  std::string value = index.origin(index.graph().output(0).name());
  pattern.top = layers_up_to(index, value, "Sigmoid");
  const onnx::NodeProto* concat = index.producer(value, "Concat");
  if (concat == nullptr || concat->input_size() < 2)
    unexpected(index, value, "Concat of x and the interaction");
  std::vector<std::string> vectors = inputs_of(*concat);
  const onnx::NodeProto* gather = index.producer(index.origin(vectors[1]), "Gather");
  const bool has_products = vectors.size() == 2 && gather != nullptr && gather->input_size() == 2 &&
                            index.constant(gather->input(0)) == nullptr;
  if (has_products) {
    const std::string x = index.origin(vectors[0]);
    vectors = vectors_of_products(index, *gather, pattern);
    if (index.origin(vectors[0]) != x) unexpected(index, index.origin(vectors[0]), fmt::format("'{}'", x));
  } else {
    pattern.interaction = Interaction::cat;
  }
  value = index.origin(vectors[0]);
  pattern.bottom = layers_up_to(index, value, "Relu");
  if (index.producer(index.origin(value)) != nullptr)
    unexpected(index, index.origin(value), "the dense features");
  vectors.erase(vectors.begin());
  pattern.tables = tables_of_bags(index, vectors);
  return pattern;
}

}  // namespace octavo::onnx_import
