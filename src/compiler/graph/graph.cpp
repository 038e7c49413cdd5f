#include "compiler/graph/graph.h"

#include <algorithm>

#include "base/assert.h"
#include "base/fail.h"
#include "compiler/graph/op.h"

namespace octavo {
namespace {

constexpr std::array<std::string_view, 6> kKindNames{"integer", "real", "text", "integers", "shape", "reals"};

template <class T>
const T& attribute(const Node& node, std::string_view name) {
  const auto own = node.attributes.find(name);
  if (own != node.attributes.end()) return std::get<T>(own->second);
  for (const AttributeDef& def : node.op->attributes) {
    if (def.name == name && def.fallback) return std::get<T>(*def.fallback);
  }
  fail(ErrorCode::internal, "defect in Octavo: operator {} has no attribute '{}'", node.op->name, name);
}

void check_attributes(const Node& node) {
  for (const auto& [name, value] : node.attributes) {
    const auto def = std::find_if(node.op->attributes.begin(), node.op->attributes.end(),
                                  [&name = name](const AttributeDef& d) { return d.name == name; });
    if (def == node.op->attributes.end()) fail(ErrorCode::invalid_model, "unknown attribute '{}'", name);
    if (value.index() != static_cast<std::size_t>(def->kind)) {
      fail(ErrorCode::invalid_model, "attribute '{}' is no {}", name,
           kKindNames[static_cast<std::size_t>(def->kind)]);
    }
  }
  for (const AttributeDef& def : node.op->attributes) {
    if (!def.fallback && !node.has(def.name))
      fail(ErrorCode::invalid_model, "attribute '{}' is missing", def.name);
  }
}

void check_inputs(const Graph& graph, const Node& node) {
  const OpDef& op = *node.op;
  if (node.inputs.size() < op.min_inputs || node.inputs.size() > op.max_inputs) {
    fail(ErrorCode::invalid_model, "{} inputs, expected {} to {}", node.inputs.size(), op.min_inputs,
         op.max_inputs);
  }
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (id == kNoValue && i < op.min_inputs) fail(ErrorCode::invalid_model, "input {} is missing", i);
    OCTAVO_ASSERT(id >= kNoValue && id < static_cast<ValueId>(graph.values().size()));
  }
}

std::string place(std::string_view op, std::string_view wanted_name, std::string_view origin) {
  std::string text(op);
  if (!wanted_name.empty()) text += fmt::format(" '{}'", wanted_name);
  if (!origin.empty()) text += fmt::format(" (at {})", origin);
  return text;
}

TensorType checked_type(const Graph& graph, const Node& node) {
  check_inputs(graph, node);
  check_attributes(node);
  TensorType type = node.op->infer(OpInputs(graph, node));
  static_cast<void>(element_count(type.shape));
  return type;
}

}  // namespace

std::string_view Node::op_name() const noexcept { return op->name; }
std::int64_t Node::integer(std::string_view name) const { return attribute<std::int64_t>(*this, name); }
double Node::real(std::string_view name) const { return attribute<double>(*this, name); }
const std::string& Node::text(std::string_view name) const { return attribute<std::string>(*this, name); }
const std::vector<std::int64_t>& Node::integers(std::string_view name) const {
  return attribute<std::vector<std::int64_t>>(*this, name);
}
const std::vector<double>& Node::reals(std::string_view name) const {
  return attribute<std::vector<double>>(*this, name);
}
const Shape& Node::shape(std::string_view name) const { return attribute<Shape>(*this, name); }

ValueId Graph::add_input(std::string_view wanted_name, TensorType type) {
  const auto id = static_cast<ValueId>(values_.size());
  static_cast<void>(element_count(type.shape));
  values_.push_back({claim_name(wanted_name), std::move(type), std::nullopt});
  inputs.push_back(id);
  return id;
}

ValueId Graph::add_constant(std::string_view wanted_name, Tensor data,
                            std::optional<Quantization> quantization) {
  const auto id = static_cast<ValueId>(values_.size());
  TensorType type{data.dtype(), fixed_shape(data.shape()), std::move(quantization)};
  values_.push_back({claim_name(wanted_name), std::move(type), std::move(data)});
  return id;
}

ValueId Graph::add(std::string_view op, std::vector<ValueId> node_inputs, Attributes attributes,
                   std::string_view wanted_name, std::string_view origin) {
  return insert(nodes_.size(), op, std::move(node_inputs), std::move(attributes), wanted_name, origin);
}

ValueId Graph::insert(std::size_t position, std::string_view op, std::vector<ValueId> node_inputs,
                      Attributes attributes, std::string_view wanted_name, std::string_view origin) {
  const OpDef* def = find_op(op);
  if (def == nullptr) fail(ErrorCode::unsupported, "operator {} is unknown", place(op, wanted_name, origin));
  Node node{def, std::move(node_inputs), kNoValue, std::move(attributes), std::string(origin)};
  try {
    TensorType type = checked_type(*this, node);
    node.output = static_cast<ValueId>(values_.size());
    values_.push_back({claim_name(wanted_name.empty() ? op : wanted_name), std::move(type), std::nullopt});
  } catch (const Error& e) {
    throw e.within(place(op, wanted_name, origin));
  }
  const ValueId output = node.output;
  nodes_.insert(nodes_.begin() + static_cast<std::ptrdiff_t>(position), std::move(node));
  return output;
}

const Node* Graph::producer(ValueId id) const noexcept {
  for (const Node& node : nodes_) {
    if (node.output == id) return &node;
  }
  return nullptr;
}

Node* Graph::producer(ValueId id) noexcept { return const_cast<Node*>(std::as_const(*this).producer(id)); }

int Graph::use_count(ValueId id) const noexcept {
  std::ptrdiff_t uses = 0;
  for (const Node& node : nodes_) uses += std::count(node.inputs.begin(), node.inputs.end(), id);
  uses +=
      std::count_if(outputs.begin(), outputs.end(), [id](const GraphOutput& out) { return out.value == id; });
  return static_cast<int>(uses);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes_) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  for (GraphOutput& out : outputs) {
    if (out.value == from) out.value = to;
  }
}

bool Graph::remove_dead() {
  std::vector<bool> live(values_.size(), false);
  for (const GraphOutput& out : outputs) live[static_cast<std::size_t>(out.value)] = true;
  for (auto node = nodes_.rbegin(); node != nodes_.rend(); ++node) {
    if (!live[static_cast<std::size_t>(node->output)]) continue;
    for (ValueId id : node->inputs) {
      if (id != kNoValue) live[static_cast<std::size_t>(id)] = true;
    }
  }
  const std::size_t before = nodes_.size();
  std::erase_if(nodes_, [&](const Node& node) { return !live[static_cast<std::size_t>(node.output)]; });
  bool changed = nodes_.size() != before;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (live[i] || !values_[i].constant) continue;
    values_[i].constant.reset();
    changed = true;
  }
  return changed;
}

void Graph::infer_types() {
  for (Node& node : nodes_) {
    try {
      value(node.output).type = checked_type(*this, node);
    } catch (const Error& e) {
      throw e.within(place(node.op->name, value(node.output).name, node.origin));
    }
  }
}

std::string Graph::claim_name(std::string_view wanted) {
  std::string claimed;
  for (char c : wanted) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
    claimed += plain ? c : '_';
  }
  if (claimed.empty() || (claimed[0] >= '0' && claimed[0] <= '9')) claimed.insert(claimed.begin(), '_');
  const std::string stem = claimed;
  while (!names_.insert(claimed).second) claimed = fmt::format("{}_{}", stem, ++suffixes_[stem]);
  return claimed;
}

}  // namespace octavo
