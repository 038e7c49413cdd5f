#include "compiler/import/onnx/dlrm/graph_index.h"

#include <algorithm>
#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/tensor_proto.h"

namespace octavo::onnx_import {
namespace {

/// Operators that keep all elements of input 0 in their order.
constexpr std::array<std::string_view, 6> kReshapes{"Reshape", "Squeeze",  "Unsqueeze",
                                                    "Flatten", "Identity", "Cast"};

/// The interaction's indices are the largest integers that matter: 1,024 tables have half a million.
constexpr std::int64_t kMostIntegers = std::int64_t{1} << 21U;

}  // namespace

GraphIndex::GraphIndex(const onnx::ModelProto& model) : graph_(model.graph()) {
  for (const auto& tensor : graph_.initializer()) constants_[tensor.name()] = &tensor;
  for (const auto& node : graph_.node()) {
    for (const std::string& output : node.output()) producers_[output] = &node;
    if (node.op_type() != "Constant" || node.output_size() != 1) continue;
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == "value" && attribute.has_t()) constants_[node.output(0)] = &attribute.t();
    }
  }
}

const onnx::NodeProto* GraphIndex::producer(std::string_view value) const {
  const auto found = producers_.find(value);
  return found == producers_.end() ? nullptr : found->second;
}

const onnx::NodeProto* GraphIndex::producer(std::string_view value, std::string_view op) const {
  const onnx::NodeProto* node = producer(value);
  return node != nullptr && node->op_type() == op ? node : nullptr;
}

const onnx::TensorProto* GraphIndex::constant(std::string_view value) const {
  const auto found = constants_.find(value);
  return found == constants_.end() ? nullptr : found->second;
}

std::optional<std::vector<std::int64_t>> GraphIndex::integers(std::string_view value) const {
  const onnx::TensorProto* tensor = constant(value);
  if (tensor == nullptr || tensor->data_location() == onnx::TensorProto::EXTERNAL) return std::nullopt;
  if (element_count(read_extents(*tensor)) > kMostIntegers) return std::nullopt;
  ExternalFiles none{{}};
  const Tensor dense = read_tensor(*tensor, none);
  if (dense.dtype() == DType::s64) {
    const auto values = dense.as<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (dense.dtype() == DType::s32) {
    const auto values = dense.as<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return std::nullopt;
}

std::string GraphIndex::origin(std::string_view value) const {
  std::string name(value);
  // A damaged model may have a cycle; a path is no longer than there are nodes.
  for (int steps = graph_.node_size(); steps > 0; --steps) {
    const onnx::NodeProto* node = producer(name);
    const bool passes_on = node != nullptr && node->input_size() > 0 &&
                           std::find(kReshapes.begin(), kReshapes.end(), node->op_type()) != kReshapes.end();
    if (!passes_on) break;
    name = node->input(0);
  }
  return name;
}

std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name, std::int64_t fallback) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.i();
  }
  return fallback;
}

}  // namespace octavo::onnx_import
