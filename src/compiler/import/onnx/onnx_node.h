#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/import/onnx/model_import.h"

namespace octavo::onnx_import {

using Ints = std::vector<std::int64_t>;

/// One ONNX node being converted: its inputs, attributes and results, in the words of the Graph. What it is
/// asked for and cannot say is an Error that the importer places at the node.
class OnnxNode {
 public:
  OnnxNode(ModelImport& model, const onnx::NodeProto& proto) : model_(model), proto_(proto) {}

  [[nodiscard]] const std::string& op() const { return proto_.op_type(); }
  [[nodiscard]] std::int64_t opset() const { return model_.opset(proto_.domain()); }
  [[nodiscard]] ModelImport& model() noexcept { return model_; }
  [[nodiscard]] Graph& graph() noexcept { return model_.graph; }

  // Inputs. An absent optional input is one past the end, or has an empty name.
  [[nodiscard]] std::size_t inputs() const { return static_cast<std::size_t>(proto_.input_size()); }
  [[nodiscard]] bool has(std::size_t index) const {
    return index < inputs() && !proto_.input(static_cast<int>(index)).empty();
  }
  /// What the input stands for; Error(invalid_model) when it is absent.
  [[nodiscard]] Operand& operand(std::size_t index);
  [[nodiscard]] ValueId value(std::size_t index) { return model_.value(operand(index)); }
  [[nodiscard]] ValueId value_or_none(std::size_t index) { return has(index) ? value(index) : kNoValue; }
  /// A copy: adding to the graph moves its values.
  [[nodiscard]] TensorType type(std::size_t index) { return graph().type(value(index)); }
  /// The extents of the input's shape.
  [[nodiscard]] Shape shape(std::size_t index);
  /// The elements, when they are integers that the importer knows.
  [[nodiscard]] std::optional<Known> known(std::size_t index) { return model_.known(operand(index)); }
  /// The same, each a plain number; `what` names the input in the Error(unsupported) when the model computes
  /// it.
  [[nodiscard]] Ints integers(std::size_t index, std::string_view what);
  /// The data of a constant of that dtype; Error(unsupported) when it is none. Points into the graph: use it
  /// before adding.
  [[nodiscard]] const Tensor& constant(std::size_t index, std::string_view what);
  /// Whether the input's data are known now.
  [[nodiscard]] bool is_constant(std::size_t index);

  // Attributes, with the value that they have when the node does not say.
  [[nodiscard]] bool has_attribute(std::string_view name) const { return find(name) != nullptr; }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback);
  [[nodiscard]] double real(std::string_view name, double fallback);
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback);
  [[nodiscard]] Ints integers(std::string_view name, Ints fallback);
  [[nodiscard]] const onnx::AttributeProto* attribute(std::string_view name);
  /// An attribute that changes nothing for Octavo.
  void ignore(std::string_view name) { understood_.insert(std::string(name)); }
  /// Error(unsupported) unless the attribute is absent or has this value.
  void expect(std::string_view name, std::int64_t only);
  /// Error(unsupported) naming the first attribute that nobody asked for, or a result that is read but was
  /// not given.
  void check_understood() const;

  // Results.
  [[nodiscard]] std::size_t outputs() const { return static_cast<std::size_t>(proto_.output_size()); }
  [[nodiscard]] bool wants(std::size_t index) const;
  /// Adds a node of the graph that is a step on the way.
  ValueId step(std::string_view graph_op, std::vector<ValueId> node_inputs, Attributes attributes = {});
  /// Adds the node that gives the result at `index`.
  void finish(std::string_view graph_op, std::vector<ValueId> node_inputs, Attributes attributes = {},
              std::size_t index = 0);
  void give(ValueId result, std::size_t index = 0);
  void give(Known result);
  /// Result 0 is input 0 itself.
  void give_input();
  ValueId constant(Tensor data) { return model_.add_constant(op(), std::move(data)); }
  ValueId constant(float scalar);

  /// `axis`, counted from the back when negative, in 0..rank-1; Error(invalid_model) otherwise.
  static std::size_t axis(std::int64_t axis, std::size_t rank);

  [[nodiscard]] bool reads_lost();
  /// All results are lost.
  void lose();

 private:
  [[nodiscard]] const onnx::AttributeProto* find(std::string_view name) const;
  [[nodiscard]] const onnx::AttributeProto* find(std::string_view name,
                                                 onnx::AttributeProto::AttributeType type);
  void define(std::size_t index, Operand operand);

  ModelImport& model_;
  const onnx::NodeProto& proto_;
  std::set<std::string> understood_;
  std::set<std::size_t> given_;
};

}  // namespace octavo::onnx_import
