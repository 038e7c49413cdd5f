#include "compiler/import/onnx/model_import.h"

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/evaluate.h"
#include "compiler/import/onnx/onnx_node.h"
#include "compiler/import/onnx/tensor_proto.h"

namespace octavo::onnx_import {
namespace {

/// Operators of opsets before 7 differ from later ones in attributes, which importing a node checks.
constexpr std::int64_t kOldestOpset = 1;
constexpr std::int64_t kNewestOpset = 23;
/// Constants may be copied (transposed, given a quantization), but a model has no reason to do so many times
/// over.
constexpr std::size_t kFreeConstantBytes = std::size_t{64} << 20;
constexpr std::size_t kConstantBytesPerModelByte = 8;
/// How many names an error lists.
constexpr std::size_t kMostListed = 10;

std::string plain_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return node.output_size() > 0 ? node.output(0) : "";
}

std::string list(const std::vector<std::string>& items, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < kMostListed; ++i) {
    if (i > 0) text += separator;
    text += items[i];
  }
  if (items.size() > kMostListed) text += fmt::format("{}and {} more", separator, items.size() - kMostListed);
  return text;
}

Dim read_extent(const onnx::TensorShapeProto::Dimension& dim, const std::string& input, int position) {
  if (dim.has_dim_value() && dim.dim_value() >= 0) return {dim.dim_value(), false};
  if (position == 0) return Dim::batch();
  fail(ErrorCode::unsupported, "extent {} ('{}') of input '{}' is unknown: give the input's shape", position,
       dim.dim_param(), input);
}

Shape read_shape(const onnx::ValueInfoProto& input, const OnnxOptions& options) {
  auto wanted = options.input_shapes.find(input.name());
  if (wanted == options.input_shapes.end()) wanted = options.input_shapes.find("");
  if (wanted != options.input_shapes.end()) {
    Shape shape = fixed_shape(wanted->second);
    shape.insert(shape.begin(), Dim::batch());
    return shape;
  }
  if (!input.type().tensor_type().has_shape()) {
    fail(ErrorCode::unsupported, "input '{}' has no shape: give it", input.name());
  }
  Shape shape;
  for (const auto& dim : input.type().tensor_type().shape().dim()) {
    shape.push_back(read_extent(dim, input.name(), static_cast<int>(shape.size())));
  }
  return shape;
}

}  // namespace

std::string node_text(const onnx::NodeProto& node) {
  return fmt::format("node '{}' ({})", name_of(node), node.op_type());
}

ModelImport::ModelImport(const onnx::ModelProto& model, std::size_t model_bytes,
                         const std::filesystem::path& folder, const OnnxOptions& options)
    : model_(model), options_(options), files_(folder), model_bytes_(model_bytes) {}

Graph ModelImport::run() {
  const onnx::GraphProto& source = model_.graph();
  graph.name = source.name();
  if (source.sparse_initializer_size() > 0) {
    fail(ErrorCode::unsupported, "sparse initializer '{}'", source.sparse_initializer(0).values().name());
  }
  for (const auto& node : source.node()) read_names_.insert(node.input().begin(), node.input().end());
  for (const auto& output : source.output()) read_names_.insert(output.name());
  read_opsets();
  define_initializers();
  define_inputs();
  for (const auto& node : source.node()) import_node(node);
  report_lost();
  define_outputs();
  graph.remove_dead();
  return std::move(graph);
}

void ModelImport::read_opsets() {
  for (const auto& entry : model_.opset_import()) opsets_[plain_domain(entry.domain())] = entry.version();
  const std::int64_t version = opset("");
  if (version < kOldestOpset || version > kNewestOpset) {
    fail(ErrorCode::unsupported, "opset {} ({} to {} are supported)", version, kOldestOpset, kNewestOpset);
  }
}

void ModelImport::define_initializers() {
  for (const auto& proto : model_.graph().initializer()) {
    Operand operand;
    operand.name = proto.name();
    operand.proto = &proto;
    define(proto.name(), std::move(operand));
  }
}

/// Before IR version 4 every initializer is listed as an input, too.
void ModelImport::define_inputs() {
  std::set<std::string> seen;
  for (const auto& input : model_.graph().input()) {
    if (!seen.insert(input.name()).second)
      fail(ErrorCode::invalid_model, "two inputs are named '{}'", input.name());
    if (names_.contains(input.name())) continue;
    if (!input.type().has_tensor_type())
      fail(ErrorCode::unsupported, "input '{}' is no tensor", input.name());
    try {
      const DType dtype = read_dtype(input.type().tensor_type().elem_type());
      Operand operand;
      operand.name = input.name();
      operand.id = graph.add_input(input.name(), {dtype, read_shape(input, options_), std::nullopt});
      define(input.name(), std::move(operand));
    } catch (const Error& e) {
      throw e.within(fmt::format("input '{}'", input.name()));
    }
  }
  for (const auto& [name, extents] : options_.input_shapes) {
    if (name.empty() && graph.inputs.size() != 1) {
      fail(ErrorCode::invalid_argument, "a shape without a name for a model of {} inputs",
           graph.inputs.size());
    }
    if (!name.empty() && !seen.contains(name))
      fail(ErrorCode::invalid_argument, "no input is named '{}'", name);
  }
}

void ModelImport::import_node(const onnx::NodeProto& proto) {
  OnnxNode node(*this, proto);
  try {
    const std::string domain = plain_domain(proto.domain());
    const Converter* converter = find_converter(domain, proto.op_type());
    const bool can_evaluate = domain.empty() && is_evaluated(proto.op_type());
    if (converter == nullptr && !can_evaluate) {
      const std::string op = domain.empty() ? proto.op_type() : domain + "." + proto.op_type();
      unknown_operators_[op].push_back(fmt::format("'{}'", name_of(proto)));
      return node.lose();
    }
    if (node.reads_lost()) return node.lose();
    if (can_evaluate && evaluate(node)) return;
    if (converter == nullptr)
      fail(ErrorCode::unsupported, "its inputs are not known when the model is compiled");
    converter->convert(node);
    node.check_understood();
  } catch (const Error& e) {
    if (e.code() != ErrorCode::unsupported) throw e.within(node_text(proto));
    problems_.push_back(e.within(node_text(proto)).what());
    node.lose();
  }
}

void ModelImport::report_lost() const {
  if (unknown_operators_.empty() && problems_.empty()) return;
  std::vector<std::string> reasons;
  for (const auto& [op, nodes] : unknown_operators_) {
    reasons.push_back(
        fmt::format("operator {} ({} {})", op, nodes.size() > 1 ? "nodes" : "node", list(nodes, ", ")));
  }
  std::string text;
  if (!reasons.empty()) text = "not supported: " + list(reasons, ", ");
  if (!problems_.empty()) text += (text.empty() ? "" : "; ") + list(problems_, "; ");
  throw Error(ErrorCode::unsupported, text);
}

void ModelImport::define_outputs() {
  std::set<std::string> seen;
  for (const auto& output : model_.graph().output()) {
    if (!seen.insert(output.name()).second)
      fail(ErrorCode::invalid_model, "two outputs are named '{}'", output.name());
    if (!names_.contains(output.name())) {
      fail(ErrorCode::invalid_model, "no node computes output '{}'", output.name());
    }
    graph.outputs.push_back({output.name(), value(operand(output.name()))});
  }
  if (seen.empty()) fail(ErrorCode::invalid_model, "the graph has no outputs");
}

Operand& ModelImport::operand(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) {
    fail(ErrorCode::invalid_model,
         "input '{}' is no graph input, no initializer and no earlier node's output", name);
  }
  return operands_[found->second];
}

ValueId ModelImport::value(Operand& operand) {
  if (operand.id != kNoValue) return operand.id;
  if (operand.known) {
    operand.id = add_constant(operand.name, to_tensor(*operand.known));
  } else {
    operand.id = add_constant(operand.name, read(*operand.proto));
  }
  return operand.id;
}

std::optional<Known> ModelImport::known(Operand& operand) {
  if (operand.known) return operand.known;
  if (operand.proto != nullptr && operand.id == kNoValue) {
    const auto type = operand.proto->data_type();
    const bool is_integer = type == onnx::TensorProto::INT64 || type == onnx::TensorProto::INT32 ||
                            type == onnx::TensorProto::BOOL;
    if (!is_integer || element_count(read_extents(*operand.proto)) > kMostKnown) return std::nullopt;
    operand.known = known_from(read(*operand.proto));
    return operand.known;
  }
  const std::optional<Tensor>& data = graph.value(operand.id).constant;
  return data ? known_from(*data) : std::nullopt;
}

void ModelImport::define(const std::string& name, Operand operand) {
  if (name.empty()) fail(ErrorCode::invalid_model, "an initializer, input or result without a name");
  if (!names_.emplace(name, operands_.size()).second)
    fail(ErrorCode::invalid_model, "'{}' is defined twice", name);
  operands_.push_back(std::move(operand));
}

void ModelImport::define_alias(const std::string& name, const std::string& original) {
  static_cast<void>(operand(original));
  const std::size_t index = names_.at(original);
  if (!names_.emplace(name, index).second) fail(ErrorCode::invalid_model, "'{}' is defined twice", name);
}

ValueId ModelImport::add_constant(std::string_view name, Tensor data,
                                  std::optional<Quantization> quantization) {
  constant_bytes_ += static_cast<std::size_t>(data.bytes());
  const std::size_t justified =
      kFreeConstantBytes + kConstantBytesPerModelByte * (model_bytes_ + files_.mapped_bytes());
  if (constant_bytes_ > justified) {
    fail(ErrorCode::invalid_model,
         "constant '{}' brings the constants to {} bytes, more than a file of {} bytes justifies", name,
         constant_bytes_, model_bytes_);
  }
  return graph.add_constant(name, std::move(data), std::move(quantization));
}

Tensor ModelImport::read(const onnx::TensorProto& proto) {
  try {
    return read_tensor(proto, files_);
  } catch (const Error& e) {
    throw e.within(fmt::format("tensor '{}'", proto.name()));
  }
}

std::int64_t ModelImport::opset(const std::string& domain) const {
  const auto found = opsets_.find(plain_domain(domain));
  if (found == opsets_.end()) {
    fail(ErrorCode::invalid_model, "the model names no opset version for domain '{}'", domain);
  }
  return found->second;
}

ValueId ModelImport::dequantized_from(ValueId id) const {
  const auto found = dequantized_.find(id);
  return found == dequantized_.end() ? kNoValue : found->second;
}

}  // namespace octavo::onnx_import
