#include "compiler/import/onnx/quantization.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

std::vector<std::int32_t> read_zero_points(const Tensor& data) {
  std::vector<std::int32_t> values;
  const auto take = [&values]<class T>(std::span<const T> elements) {
    values.assign(elements.begin(), elements.end());
  };
  switch (data.dtype()) {
    case DType::u8:
      take(data.as<std::uint8_t>());
      break;
    case DType::s8:
      take(data.as<std::int8_t>());
      break;
    case DType::u16:
      take(data.as<std::uint16_t>());
      break;
    case DType::s16:
      take(data.as<std::int16_t>());
      break;
    case DType::s32:
      take(data.as<std::int32_t>());
      break;
    default:
      fail(ErrorCode::unsupported, "a zero point of type {}", dtype_name(data.dtype()));
  }
  return values;
}

std::vector<float> read_scales(const Tensor& data) {
  if (data.dtype() != DType::f32)
    fail(ErrorCode::unsupported, "a scale of type {}", dtype_name(data.dtype()));
  for (float scale : data.as<float>()) {
    if (!(scale > 0.0F) || !std::isfinite(scale))
      fail(ErrorCode::invalid_model, "scale {} is not positive", scale);
  }
  return {data.as<float>().begin(), data.as<float>().end()};
}

void check_axis(const Shape& shape, const Quantization& quantization) {
  if (quantization.is_per_tensor()) return;
  const auto axis = static_cast<std::size_t>(quantization.axis);
  const auto count = static_cast<std::int64_t>(quantization.scales.size());
  if (axis >= shape.size() || shape[axis] != Dim{count, false}) {
    fail(ErrorCode::invalid_model, "{} scales along axis {} of {}", count, axis, shape_text(shape));
  }
}

Tensor transposed(const Tensor& matrix) {
  const auto rows = matrix.shape()[0];
  const auto columns = matrix.shape()[1];
  const auto width = static_cast<std::size_t>(dtype_bytes(matrix.dtype()));
  Tensor result(matrix.dtype(), {columns, rows});
  std::byte* dst = result.data();
  for (std::int64_t column = 0; column < columns; ++column) {
    for (std::int64_t row = 0; row < rows; ++row, dst += width) {
      std::memcpy(dst, matrix.data() + static_cast<std::size_t>(row * columns + column) * width, width);
    }
  }
  return result;
}

/// A constant with its extents swapped, as a new constant.
ValueId transposed_constant(OnnxNode& node, ValueId id) {
  const Value& source = node.graph().value(id);
  Tensor data = transposed(*source.constant);
  std::optional<Quantization> quantization = source.type.quantization;
  if (quantization && !quantization->is_per_tensor()) quantization->axis = 1 - quantization->axis;
  const std::string name = source.name + "_t";
  return node.model().add_constant(name, std::move(data), std::move(quantization));
}

}  // namespace

std::optional<QuantizedType> read_quantization(OnnxNode& node, std::size_t scale, std::size_t zero_point,
                                               std::int64_t axis) {
  if (!node.is_constant(scale) || (node.has(zero_point) && !node.is_constant(zero_point)))
    return std::nullopt;
  QuantizedType type;
  const Tensor& scales = node.constant(scale, "scale");
  const bool is_per_axis = scales.elements() != 1;
  type.quantization.scales = read_scales(scales);
  type.quantization.axis = is_per_axis ? static_cast<int>(axis) : -1;
  type.quantization.zero_points.assign(type.quantization.scales.size(), 0);
  if (node.has(zero_point)) {
    const Tensor& zero_points = node.constant(zero_point, "zero_point");
    type.dtype = zero_points.dtype();
    const auto values = read_zero_points(zero_points);
    if (values.size() != 1 && values.size() != type.quantization.scales.size()) {
      fail(ErrorCode::invalid_model, "{} zero points for {} scales", values.size(),
           type.quantization.scales.size());
    }
    if (values.size() == 1) type.quantization.zero_points.assign(type.quantization.scales.size(), values[0]);
    if (values.size() != 1) type.quantization.zero_points = values;
  }
  if (type.quantization.scales.empty()) fail(ErrorCode::invalid_model, "a scale without elements");
  return type;
}

QuantizedType expect_quantization(OnnxNode& node, std::size_t scale, std::size_t zero_point,
                                  std::int64_t axis) {
  auto type = read_quantization(node, scale, zero_point, axis);
  if (!type)
    fail(ErrorCode::unsupported, "a scale or zero point that is not known when the model is compiled");
  return *type;
}

ValueId quantized_value(OnnxNode& node, std::size_t index, const Quantization& quantization) {
  const ValueId id = node.value(index);
  Operand& operand = node.operand(index);
  Value& value = node.graph().value(id);
  const auto& own = value.type.quantization;
  if (own == quantization) return id;
  check_axis(value.type.shape, quantization);
  if (value.constant) {
    for (const auto& [meaning, known] : operand.quantized) {
      if (meaning == quantization) return known;
    }
    const ValueId added = node.model().add_constant(operand.name, Tensor(*value.constant), quantization);
    operand.quantized.emplace_back(quantization, added);
    return added;
  }
  const auto& inputs = node.graph().inputs;
  const bool is_input = std::find(inputs.begin(), inputs.end(), id) != inputs.end();
  if (!is_input || own || node.graph().use_count(id) > 0) return kNoValue;
  value.type.quantization = quantization;
  return id;
}

ValueId expect_quantized_value(OnnxNode& node, std::size_t index, const Quantization& quantization) {
  const ValueId id = quantized_value(node, index, quantization);
  if (id == kNoValue) {
    fail(ErrorCode::unsupported,
         "input {} is read with another scale or zero point than it was computed with", index);
  }
  return id;
}

std::optional<double> known_scalar(OnnxNode& node, std::size_t index, std::string_view what) {
  const ValueId id = node.value(index);
  const ValueId integers = node.model().dequantized_from(id);
  const Value& source = node.graph().value(integers == kNoValue ? id : integers);
  if (!source.constant) return std::nullopt;
  const Tensor& data = *source.constant;
  if (data.elements() != 1)
    fail(ErrorCode::invalid_model, "'{}' has shape {}, expected 1 element", what, shape_text(data.shape()));
  const auto real = [&](auto element) {
    if (integers == kNoValue) return static_cast<double>(element);
    const Quantization& q = *source.type.quantization;
    return static_cast<double>(static_cast<float>(static_cast<std::int64_t>(element) - q.zero_point()) *
                               q.scale());
  };
  switch (data.dtype()) {
    case DType::f32:
      return static_cast<double>(data.as<float>()[0]);
    case DType::u8:
      return real(data.as<std::uint8_t>()[0]);
    case DType::s8:
      return real(data.as<std::int8_t>()[0]);
    case DType::s32:
      return real(data.as<std::int32_t>()[0]);
    case DType::s64:
      return real(data.as<std::int64_t>()[0]);
    default:
      fail(ErrorCode::unsupported, "'{}' of type {}", what, dtype_name(data.dtype()));
  }
}

Attributes result_attributes(const QuantizedType& type) {
  if (!type.quantization.is_per_tensor()) fail(ErrorCode::unsupported, "a result quantized per axis");
  return {{"scale", static_cast<double>(type.quantization.scale())},
          {"zero_point", static_cast<std::int64_t>(type.quantization.zero_point())},
          {"dtype", std::string(dtype_name(type.dtype))},
          {"arithmetic", std::string("ort")}};
}

Attributes joined(Attributes a, const Attributes& b) {
  a.insert(b.begin(), b.end());
  return a;
}

ValueId transposed_matrix(OnnxNode& node, ValueId matrix) {
  if (node.graph().value(matrix).constant) return transposed_constant(node, matrix);
  const ValueId integers = node.model().dequantized_from(matrix);
  if (integers == kNoValue) return node.step("transpose", {matrix}, {{"perm", Ints{1, 0}}});
  const ValueId swapped = transposed_constant(node, integers);
  const ValueId real = node.step("dequantize", {swapped});
  node.model().remember_dequantized(real, swapped);
  return real;
}

}  // namespace octavo::onnx_import
