#include "compiler/import/onnx/onnx_node.h"

#include "base/fail.h"
#include "compiler/import/onnx/tensor_proto.h"

namespace octavo::onnx_import {

Operand& OnnxNode::operand(std::size_t index) {
  if (!has(index)) fail(ErrorCode::invalid_model, "input {} is missing", index);
  return model_.operand(proto_.input(static_cast<int>(index)));
}

Shape OnnxNode::shape(std::size_t index) {
  const Operand& source = operand(index);
  if (source.id != kNoValue) return graph().type(source.id).shape;
  if (source.known) return fixed_shape(source.known->shape);
  return fixed_shape(read_extents(*source.proto));
}

Ints OnnxNode::integers(std::size_t index, std::string_view what) {
  const auto elements = known(index);
  if (!elements) fail(ErrorCode::unsupported, "'{}' is not known when the model is compiled", what);
  Ints values;
  for (Dim value : elements->values) {
    if (value.per_image)
      fail(ErrorCode::unsupported, "'{}' holds the batch size ({})", what, dim_text(value));
    values.push_back(value.count);
  }
  return values;
}

const Tensor& OnnxNode::constant(std::size_t index, std::string_view what) {
  const std::optional<Tensor>& data = graph().value(value(index)).constant;
  if (!data) fail(ErrorCode::unsupported, "'{}' is not known when the model is compiled", what);
  return *data;
}

bool OnnxNode::is_constant(std::size_t index) {
  const Operand& source = operand(index);
  if (source.known || source.proto != nullptr) return true;
  return graph().value(source.id).constant.has_value();
}

const onnx::AttributeProto* OnnxNode::find(std::string_view name) const {
  for (const auto& attribute : proto_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

const onnx::AttributeProto* OnnxNode::attribute(std::string_view name) {
  understood_.insert(std::string(name));
  return find(name);
}

const onnx::AttributeProto* OnnxNode::find(std::string_view name, onnx::AttributeProto::AttributeType type) {
  const onnx::AttributeProto* found = attribute(name);
  // Files of IR version 1 leave the type out.
  if (found != nullptr && found->type() != type && found->type() != onnx::AttributeProto::UNDEFINED) {
    fail(ErrorCode::invalid_model, "attribute '{}' has type {}, expected {}", name,
         static_cast<int>(found->type()), static_cast<int>(type));
  }
  return found;
}

std::int64_t OnnxNode::integer(std::string_view name, std::int64_t fallback) {
  const auto* found = find(name, onnx::AttributeProto::INT);
  return found != nullptr ? found->i() : fallback;
}

double OnnxNode::real(std::string_view name, double fallback) {
  const auto* found = find(name, onnx::AttributeProto::FLOAT);
  return found != nullptr ? static_cast<double>(found->f()) : fallback;
}

std::string OnnxNode::text(std::string_view name, std::string_view fallback) {
  const auto* found = find(name, onnx::AttributeProto::STRING);
  return found != nullptr ? found->s() : std::string(fallback);
}

Ints OnnxNode::integers(std::string_view name, Ints fallback) {
  const auto* found = find(name, onnx::AttributeProto::INTS);
  return found != nullptr ? Ints(found->ints().begin(), found->ints().end()) : std::move(fallback);
}

void OnnxNode::expect(std::string_view name, std::int64_t only) {
  const std::int64_t value = integer(name, only);
  if (value != only)
    fail(ErrorCode::unsupported, "attribute '{}' is {} ({} is supported)", name, value, only);
}

void OnnxNode::check_understood() const {
  for (const auto& attribute : proto_.attribute()) {
    if (!understood_.contains(attribute.name())) {
      fail(ErrorCode::unsupported, "attribute '{}' is not supported", attribute.name());
    }
  }
  for (std::size_t i = 0; i < outputs(); ++i) {
    if (wants(i) && !given_.contains(i)) {
      fail(ErrorCode::unsupported, "output {} ('{}') is not supported", i,
           proto_.output(static_cast<int>(i)));
    }
  }
}

bool OnnxNode::wants(std::size_t index) const {
  if (index >= outputs()) return false;
  const std::string& name = proto_.output(static_cast<int>(index));
  return !name.empty() && model_.is_read(name);
}

ValueId OnnxNode::step(std::string_view graph_op, std::vector<ValueId> node_inputs, Attributes attributes) {
  return graph().add(graph_op, std::move(node_inputs), std::move(attributes), "", proto_.name());
}

void OnnxNode::finish(std::string_view graph_op, std::vector<ValueId> node_inputs, Attributes attributes,
                      std::size_t index) {
  const std::string name = index < outputs() ? proto_.output(static_cast<int>(index)) : "";
  give(graph().add(graph_op, std::move(node_inputs), std::move(attributes), name, proto_.name()), index);
}

void OnnxNode::define(std::size_t index, Operand result) {
  given_.insert(index);
  if (index >= outputs()) return;
  const std::string& name = proto_.output(static_cast<int>(index));
  if (name.empty()) return;
  result.name = name;
  model_.define(name, std::move(result));
}

void OnnxNode::give(ValueId result, std::size_t index) {
  Operand operand;
  operand.id = result;
  define(index, std::move(operand));
}

void OnnxNode::give(Known result) {
  Operand operand;
  operand.known = std::move(result);
  define(0, std::move(operand));
}

void OnnxNode::give_input() {
  given_.insert(0);
  static_cast<void>(operand(0));
  if (outputs() > 0 && !proto_.output(0).empty()) model_.define_alias(proto_.output(0), proto_.input(0));
}

ValueId OnnxNode::constant(float scalar) {
  Tensor data(DType::f32, {});
  data.as<float>()[0] = scalar;
  return constant(std::move(data));
}

std::size_t OnnxNode::axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail(ErrorCode::invalid_model, "axis {} of a tensor with {} extents", axis, rank);
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

bool OnnxNode::reads_lost() {
  for (const std::string& name : proto_.input()) {
    if (!name.empty() && model_.operand(name).is_lost) return true;
  }
  return false;
}

void OnnxNode::lose() {
  for (std::size_t i = 0; i < outputs(); ++i) {
    if (given_.contains(i) || proto_.output(static_cast<int>(i)).empty()) continue;
    Operand operand;
    operand.is_lost = true;
    define(i, std::move(operand));
  }
}

}  // namespace octavo::onnx_import
