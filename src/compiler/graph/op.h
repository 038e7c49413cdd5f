#pragma once
#include <span>
#include <string_view>

#include "compiler/graph/graph.h"

namespace octavo {

/// The types an attribute can have; the same order as Attribute's alternatives.
enum class AttributeKind { integer, real, text, integers, shape, reals };

/// One attribute that an operator understands. `fallback` is its value when a node does not say; nothing =
/// required.
struct AttributeDef {
  std::string_view name;
  AttributeKind kind;
  std::optional<Attribute> fallback;
};

/// What `OpDef::infer` sees: the node, and the types (and constants) of its inputs.
class OpInputs {
 public:
  OpInputs(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}
  [[nodiscard]] const Node& node() const noexcept { return node_; }
  [[nodiscard]] std::size_t count() const noexcept { return node_.inputs.size(); }
  [[nodiscard]] bool has(std::size_t index) const noexcept { return node_.input(index) != kNoValue; }
  [[nodiscard]] const TensorType& type(std::size_t index) const {
    return graph_.type(node_.inputs.at(index));
  }
  [[nodiscard]] const Tensor* constant(std::size_t index) const {
    const Value& value = graph_.value(node_.inputs.at(index));
    return value.constant ? &*value.constant : nullptr;
  }

 private:
  const Graph& graph_;
  const Node& node_;
};

/// An operator: its name, what it reads, and what type comes out. One file per operator (or family) in ops/.
struct OpDef {
  std::string_view name;
  std::size_t min_inputs;
  std::size_t max_inputs;
  std::vector<AttributeDef> attributes;
  /// The result's type. Error(invalid_model) that names the offending size or attribute.
  TensorType (*infer)(const OpInputs&);
};

/// Every operator of the graph, in the order of the documentation.
std::span<const OpDef> all_ops();
/// nullptr when there is none of that name.
const OpDef* find_op(std::string_view name) noexcept;

}  // namespace octavo
