#include <fmt/format.h>
#include <fmt/ranges.h>

#include "compiler/graph/graph.h"
#include "compiler/graph/op.h"

namespace octavo {
namespace {

std::string quantization_text(const Quantization& q) {
  if (q.is_per_tensor()) return fmt::format("{{{},{}}}", q.scale(), q.zero_point());
  return fmt::format("{{axis={}}}", q.axis);
}

std::string type_text(const TensorType& type) {
  std::string text = fmt::format("{}{}", dtype_name(type.dtype), shape_text(type.shape));
  if (type.quantization) text += quantization_text(*type.quantization);
  return text;
}

struct AttributeText {
  std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
  std::string operator()(double v) const {
    const std::string text = fmt::format("{}", v);
    const bool reads_as_integer = text.find_first_not_of("-0123456789") == std::string::npos;
    return reads_as_integer ? text + ".0" : text;
  }
  std::string operator()(const std::string& v) const { return v; }
  std::string operator()(const std::vector<std::int64_t>& v) const {
    return fmt::format("({})", fmt::join(v, ","));
  }
  std::string operator()(const Shape& v) const { return shape_text(v); }
  std::string operator()(const std::vector<double>& v) const {
    std::string text = "{";
    for (std::size_t i = 0; i < v.size(); ++i) text += (i > 0 ? "," : "") + (*this)(v[i]);
    return text + "}";
  }
};

/// A constant is declared where it is first read; everything else is its name.
std::string operand_text(const Graph& graph, ValueId id, std::vector<bool>& declared) {
  if (id == kNoValue) return "none";
  const Value& value = graph.value(id);
  if (!value.constant || declared[static_cast<std::size_t>(id)]) return value.name;
  declared[static_cast<std::size_t>(id)] = true;
  return value.name + ": " + type_text(value.type);
}

}  // namespace

std::string print(const Graph& graph) {
  std::vector<bool> declared(graph.values().size(), false);
  std::string text = "graph(";
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const Value& input = graph.value(graph.inputs[i]);
    text += fmt::format("{}{}: {}", i > 0 ? ", " : "", input.name, type_text(input.type));
  }
  text += ") {\n";
  for (const Node& node : graph.nodes()) {
    text += fmt::format("  {} = {}(", graph.value(node.output).name, node.op->name);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      text += (i > 0 ? ", " : "") + operand_text(graph, node.inputs[i], declared);
    }
    text += ")";
    for (const auto& [name, value] : node.attributes)
      text += fmt::format(" {}={}", name, std::visit(AttributeText{}, value));
    text += fmt::format("  # {}", type_text(graph.type(node.output)));
    if (!node.origin.empty()) text += fmt::format(" {}", node.origin);
    text += "\n";
  }
  text += "  return";
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const GraphOutput& out = graph.outputs[i];
    text += fmt::format("{} {}={}", i > 0 ? "," : "", out.name, operand_text(graph, out.value, declared));
  }
  return text + "\n}\n";
}

}  // namespace octavo
