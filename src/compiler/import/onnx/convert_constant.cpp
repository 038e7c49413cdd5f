#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/convert.h"
#include "compiler/import/onnx/tensor_proto.h"

namespace octavo::onnx_import {
namespace {

template <class T, class List>
Tensor list_tensor(DType dtype, const List& list) {
  Tensor tensor(dtype, {list.size()});
  std::copy(list.begin(), list.end(), tensor.as<T>().begin());
  return tensor;
}

/// Constant in its forms: a tensor, or plain numbers in an attribute.
Tensor read_constant(OnnxNode& node) {
  if (const auto* a = node.attribute("value")) return node.model().read(a->t());
  if (const auto* a = node.attribute("value_floats")) return list_tensor<float>(DType::f32, a->floats());
  if (const auto* a = node.attribute("value_ints")) return list_tensor<std::int64_t>(DType::s64, a->ints());
  if (node.has_attribute("value_float")) {
    Tensor scalar(DType::f32, {});
    scalar.as<float>()[0] = static_cast<float>(node.real("value_float", 0.0));
    return scalar;
  }
  if (node.has_attribute("value_int")) {
    Tensor scalar(DType::s64, {});
    scalar.as<std::int64_t>()[0] = node.integer("value_int", 0);
    return scalar;
  }
  fail(ErrorCode::unsupported, "a constant that is neither tensor nor number");
}

void convert_constant(OnnxNode& node) {
  Tensor data = read_constant(node);
  if (auto known = known_from(data)) return node.give(std::move(*known));
  node.give(node.constant(std::move(data)));
}

/// One element, repeated by the graph: the file says how many, and may lie.
void convert_constant_of_shape(OnnxNode& node) {
  Shape shape;
  const auto wanted = node.known(0);
  if (!wanted) fail(ErrorCode::unsupported, "'shape' is not known when the model is compiled");
  shape = wanted->values;
  const auto* value = node.attribute("value");
  Tensor fill = value != nullptr ? node.model().read(value->t()) : Tensor(DType::f32, {1});
  if (fill.elements() != 1)
    fail(ErrorCode::invalid_model, "'value' has shape {}, expected 1 element", shape_text(fill.shape()));
  const ValueId one = node.constant(std::move(fill).reshaped({}));
  node.finish("expand", {one}, {{"shape", shape}});
}

void convert_identity(OnnxNode& node) { node.give_input(); }

/// Nothing is dropped when a trained model runs.
void convert_dropout(OnnxNode& node) {
  node.ignore("ratio");
  node.ignore("seed");
  if (node.has(2) && node.integers(2, "training_mode") != Ints{0}) {
    fail(ErrorCode::unsupported, "input 'training_mode' is true");
  }
  node.give_input();
}

void convert_cast(OnnxNode& node) {
  node.ignore("saturate");
  const DType to = read_dtype(node.integer("to", 0));
  if (node.type(0).dtype == to) return node.give_input();
  node.finish("cast", {node.value(0)}, {{"to", std::string(dtype_name(to))}});
}

constexpr std::array<Converter, 5> kConverters{{{"", "Constant", convert_constant},
                                                {"", "ConstantOfShape", convert_constant_of_shape},
                                                {"", "Identity", convert_identity},
                                                {"", "Dropout", convert_dropout},
                                                {"", "Cast", convert_cast}}};

}  // namespace

std::span<const Converter> constant_converters() { return kConverters; }

}  // namespace octavo::onnx_import
