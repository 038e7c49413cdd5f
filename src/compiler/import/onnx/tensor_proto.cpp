#include "compiler/import/onnx/tensor_proto.h"

#include <cstring>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

void expect_count(std::int64_t found, const std::vector<std::int64_t>& extents, std::string_view unit) {
  const std::int64_t expected = element_count(extents);
  if (found != expected) {
    fail(ErrorCode::invalid_model, "{} {} of data for shape {}, expected {}", found, unit,
         shape_text(extents), expected);
  }
}

Tensor from_bytes(std::span<const std::byte> bytes, DType dtype, std::vector<std::int64_t> extents) {
  const std::int64_t width = dtype_bytes(dtype);
  const std::int64_t expected = element_count(extents) * width;
  if (static_cast<std::int64_t>(bytes.size()) != expected) {
    fail(ErrorCode::invalid_model, "{} bytes of data for shape {} of {}, expected {}", bytes.size(),
         shape_text(extents), dtype_name(dtype), expected);
  }
  Tensor tensor(dtype, std::move(extents));
  if (!bytes.empty()) std::memcpy(tensor.data(), bytes.data(), bytes.size());
  return tensor;
}

/// Elements kept in one of protobuf's typed lists, each narrowed to T.
template <class T, class List>
Tensor from_list(const List& list, DType dtype, std::vector<std::int64_t> extents) {
  expect_count(list.size(), extents, "elements");
  Tensor tensor(dtype, std::move(extents));
  auto* dst = reinterpret_cast<T*>(tensor.data());
  for (const auto value : list) *dst++ = static_cast<T>(value);
  return tensor;
}

Tensor from_lists(const onnx::TensorProto& proto, DType dtype, std::vector<std::int64_t> extents) {
  const auto take = [&]<class T>(T) { return from_list<T>(proto.int32_data(), dtype, std::move(extents)); };
  switch (dtype) {
    case DType::f32:
      return from_list<float>(proto.float_data(), dtype, std::move(extents));
    case DType::f64:
      return from_list<double>(proto.double_data(), dtype, std::move(extents));
    case DType::s64:
      return from_list<std::int64_t>(proto.int64_data(), dtype, std::move(extents));
    case DType::s32:
      return take(std::int32_t{});
    case DType::u16:
    case DType::f16:
    case DType::bf16:
      return take(std::uint16_t{});
    case DType::s16:
      return take(std::int16_t{});
    case DType::s8:
      return take(std::int8_t{});
    case DType::u8:
    case DType::boolean:
      return take(std::uint8_t{});
  }
  fail(ErrorCode::internal, "dtype {} is not in the list", static_cast<int>(dtype));
}

}  // namespace

DType read_dtype(std::int64_t onnx_type) {
  switch (onnx_type) {
    case onnx::TensorProto::FLOAT:
      return DType::f32;
    case onnx::TensorProto::FLOAT16:
      return DType::f16;
    case onnx::TensorProto::BFLOAT16:
      return DType::bf16;
    case onnx::TensorProto::DOUBLE:
      return DType::f64;
    case onnx::TensorProto::UINT8:
      return DType::u8;
    case onnx::TensorProto::INT8:
      return DType::s8;
    case onnx::TensorProto::UINT16:
      return DType::u16;
    case onnx::TensorProto::INT16:
      return DType::s16;
    case onnx::TensorProto::INT32:
      return DType::s32;
    case onnx::TensorProto::INT64:
      return DType::s64;
    case onnx::TensorProto::BOOL:
      return DType::boolean;
    default:
      break;
  }
  const bool named = onnx_type >= 0 && onnx_type <= onnx::TensorProto::DataType_MAX;
  const std::string name = named ? onnx::TensorProto::DataType_Name(static_cast<int>(onnx_type)) : "";
  fail(ErrorCode::unsupported, "element type {}{}{}", onnx_type, name.empty() ? "" : " ", name);
}

std::vector<std::int64_t> read_extents(const onnx::TensorProto& tensor) {
  std::vector<std::int64_t> extents(tensor.dims().begin(), tensor.dims().end());
  static_cast<void>(element_count(extents));
  return extents;
}

Tensor read_tensor(const onnx::TensorProto& tensor, ExternalFiles& files) {
  const DType dtype = read_dtype(tensor.data_type());
  if (tensor.has_segment()) fail(ErrorCode::unsupported, "a tensor in segments");
  std::vector<std::int64_t> extents = read_extents(tensor);
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return from_bytes(files.bytes(tensor), dtype, std::move(extents));
  }
  if (tensor.has_raw_data()) {
    const std::string& raw = tensor.raw_data();
    return from_bytes(std::as_bytes(std::span(raw)), dtype, std::move(extents));
  }
  return from_lists(tensor, dtype, std::move(extents));
}

}  // namespace octavo::onnx_import
