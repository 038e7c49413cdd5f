#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dim.h"
#include "octavo/tensor.h"

namespace octavo {

/// Dtype, shape and, for integers that stand for reals, the quantization.
struct TensorType {
  DType dtype = DType::f32;
  Shape shape;
  std::optional<Quantization> quantization;
  bool operator==(const TensorType&) const = default;
};

/// Index of a value in its Graph.
using ValueId = std::int32_t;
/// Stands for an optional input that is not there.
inline constexpr ValueId kNoValue = -1;

/// What a node says beside its inputs: `stride=2,2 activation=relu scale=0.5`.
using Attribute =
    std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, Shape, std::vector<double>>;
using Attributes = std::map<std::string, Attribute, std::less<>>;

struct OpDef;

/// One tensor of the graph: a graph input, a constant, or the result of a node.
struct Value {
  std::string name;  ///< unique within the graph
  TensorType type;
  std::optional<Tensor> constant;  ///< the data, when known at compile time
};

/// One operator applied to values. Every operator has exactly one result.
struct Node {
  const OpDef* op = nullptr;
  std::vector<ValueId> inputs;  ///< kNoValue for an absent optional input
  ValueId output = kNoValue;
  Attributes attributes;
  std::string
      origin;  ///< where the model file has it (module path, node name), for messages and layer outputs

  [[nodiscard]] std::string_view op_name() const noexcept;
  /// Attribute values; the op's declared default when the node does not say. A missing attribute without
  /// default is a defect of Octavo: `Graph::add` checked that all required ones are there and that every one
  /// has the declared type.
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  [[nodiscard]] double real(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] const std::vector<std::int64_t>& integers(std::string_view name) const;
  [[nodiscard]] const std::vector<double>& reals(std::string_view name) const;
  [[nodiscard]] const Shape& shape(std::string_view name) const;
  /// Whether the node itself says it.
  [[nodiscard]] bool has(std::string_view name) const { return attributes.contains(name); }
  /// The input at `index`, or kNoValue when the node has fewer.
  [[nodiscard]] ValueId input(std::size_t index) const noexcept {
    return index < inputs.size() ? inputs[index] : kNoValue;
  }
};

/// A named output of the graph.
struct GraphOutput {
  std::string name;
  ValueId value = kNoValue;
};

/// What to compute: values, and nodes in an order in which every node comes after its inputs. Plain data with
/// a few operations that keep it consistent; passes edit it, `verify` checks it. Copies deeply.
///
/// Conventions: images are NCHW, convolution weights [oc, ic / groups, kh, kw], linear weights [oc, ic].
class Graph {
 public:
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<GraphOutput> outputs;

  [[nodiscard]] const std::vector<Node>& nodes() const noexcept { return nodes_; }
  [[nodiscard]] std::vector<Node>& nodes() noexcept { return nodes_; }
  [[nodiscard]] const std::vector<Value>& values() const noexcept { return values_; }
  [[nodiscard]] const Value& value(ValueId id) const { return values_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] Value& value(ValueId id) { return values_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] const TensorType& type(ValueId id) const { return value(id).type; }

  ValueId add_input(std::string_view wanted_name, TensorType type);
  /// `type` is taken from the tensor; `quantization` says what its integers mean.
  ValueId add_constant(std::string_view wanted_name, Tensor data,
                       std::optional<Quantization> quantization = std::nullopt);
  /// Appends a node: looks `op` up, checks inputs and attributes against its OpDef, infers the result's type.
  /// Error(unsupported / invalid_model) with the op's name and the offending value; nothing is added then.
  /// `wanted_name` is made unique by a suffix if need be.
  ValueId add(std::string_view op, std::vector<ValueId> node_inputs, Attributes attributes = {},
              std::string_view wanted_name = "", std::string_view origin = "");
  /// The same, placed before the node at `position` in `nodes()`.
  ValueId insert(std::size_t position, std::string_view op, std::vector<ValueId> node_inputs,
                 Attributes attributes = {}, std::string_view wanted_name = "", std::string_view origin = "");

  /// The node that computes `id`; nullptr for inputs and constants. O(nodes).
  [[nodiscard]] const Node* producer(ValueId id) const noexcept;
  [[nodiscard]] Node* producer(ValueId id) noexcept;
  /// How many node inputs and graph outputs read `id`. O(nodes).
  [[nodiscard]] int use_count(ValueId id) const noexcept;
  /// Every reader of `from` (graph outputs too) reads `to` instead.
  void replace_uses(ValueId from, ValueId to);
  /// Drops nodes, and then constants' data, that no output depends on. True if something went.
  bool remove_dead();
  /// Runs type inference again for every node in order, after an edit or a change of input types.
  void infer_types();

 private:
  /// A name of letters, digits, '_' and '.' that no other value has.
  std::string claim_name(std::string_view wanted);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, int, std::less<>> suffixes_;
};

/// Checks every rule that a Graph keeps: order, ids, attribute names and types, inferred types equal to
/// stored ones, unique names, outputs present. Error(internal) naming the node otherwise.
void verify(const Graph& graph);

/// The text form. Constants print as their type only; `parse_graph` makes up deterministic data for them.
std::string print(const Graph& graph);
/// Reads the text form. Error(invalid_argument) with line and offending token. Undeclared names with a type
/// (`w: f32[4,3,3,3]`) are constants filled with deterministic pseudo-random values from the name.
Graph parse_graph(std::string_view text);

}  // namespace octavo
