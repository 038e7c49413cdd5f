#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/import/onnx/proto.h"

namespace octavo::onnx_import {

/// Who makes each value of an ONNX graph. The model must outlive it.
class GraphIndex {
 public:
  explicit GraphIndex(const onnx::ModelProto& model);

  [[nodiscard]] const onnx::GraphProto& graph() const noexcept { return graph_; }
  /// The node that gives `value`; nullptr for inputs and constants.
  [[nodiscard]] const onnx::NodeProto* producer(std::string_view value) const;
  /// As `producer`, if it is a node of this operator.
  [[nodiscard]] const onnx::NodeProto* producer(std::string_view value, std::string_view op) const;
  /// The tensor that `value` always is; nullptr when it is computed.
  [[nodiscard]] const onnx::TensorProto* constant(std::string_view value) const;
  /// The elements of a small constant of integers; nothing otherwise.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view value) const;
  /// The value whose elements `value` has in the same order: behind reshapes, casts and the like.
  [[nodiscard]] std::string origin(std::string_view value) const;

 private:
  const onnx::GraphProto& graph_;
  std::map<std::string, const onnx::NodeProto*, std::less<>> producers_;
  std::map<std::string, const onnx::TensorProto*, std::less<>> constants_;
};

/// The integer attribute; `fallback` when the node does not say.
std::int64_t integer_attribute(const onnx::NodeProto& node, std::string_view name, std::int64_t fallback);

}  // namespace octavo::onnx_import
