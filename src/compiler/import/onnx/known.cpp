#include "compiler/import/onnx/known.h"

#include <limits>

#include "base/fail.h"

namespace octavo::onnx_import {
namespace {

template <class T>
std::vector<Dim> dims_of(const Tensor& tensor) {
  std::vector<Dim> dims;
  for (T value : tensor.as<T>()) dims.push_back({static_cast<std::int64_t>(value), false});
  return dims;
}

}  // namespace

std::optional<Known> known_from(const Tensor& tensor) {
  if (tensor.elements() > kMostKnown) return std::nullopt;
  switch (tensor.dtype()) {
    case DType::s64:
      return Known{DType::s64, tensor.shape(), dims_of<std::int64_t>(tensor)};
    case DType::s32:
      return Known{DType::s32, tensor.shape(), dims_of<std::int32_t>(tensor)};
    case DType::boolean:
      return Known{DType::boolean, tensor.shape(), dims_of<std::uint8_t>(tensor)};
    default:
      return std::nullopt;
  }
}

Known known_from(const Shape& shape) {
  return {DType::s64, {static_cast<std::int64_t>(shape.size())}, {shape.begin(), shape.end()}};
}

Tensor to_tensor(const Known& known) {
  Tensor tensor(known.dtype, known.shape);
  for (std::size_t i = 0; i < known.values.size(); ++i) {
    const Dim value = known.values[i];
    if (value.per_image) fail(ErrorCode::unsupported, "the batch size ({}) is used as data", dim_text(value));
    if (known.dtype == DType::s64) tensor.as<std::int64_t>()[i] = value.count;
    if (known.dtype == DType::s32) tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(value.count);
    if (known.dtype == DType::boolean) tensor.as<std::uint8_t>()[i] = value.count != 0;
  }
  return tensor;
}

std::optional<Dim> sum(Dim a, Dim b) {
  if (a == Dim{0, false}) return b;
  if (b == Dim{0, false}) return a;
  Dim result{0, a.per_image};
  if (a.per_image != b.per_image || __builtin_add_overflow(a.count, b.count, &result.count))
    return std::nullopt;
  return result;
}

std::optional<Dim> difference(Dim a, Dim b) {
  if (b.count == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return sum(a, {-b.count, b.per_image});
}

std::optional<Dim> product(Dim a, Dim b) {
  Dim result{0, a.per_image || b.per_image};
  if ((a.per_image && b.per_image) || __builtin_mul_overflow(a.count, b.count, &result.count))
    return std::nullopt;
  return result;
}

std::optional<Dim> quotient(Dim a, Dim b) {
  if (b.count == 0 || (a.count == std::numeric_limits<std::int64_t>::min() && b.count == -1))
    return std::nullopt;
  if (!a.per_image && !b.per_image) return Dim{a.count / b.count, false};
  if (!a.per_image || a.count % b.count != 0) return std::nullopt;
  return Dim{a.count / b.count, !b.per_image};
}

}  // namespace octavo::onnx_import
