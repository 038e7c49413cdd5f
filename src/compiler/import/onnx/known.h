#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/dim.h"
#include "octavo/tensor.h"

namespace octavo::onnx_import {

/// A small integer tensor whose elements the importer knows, each as a Dim: what shape arithmetic computes
/// with. An element may be a multiple of the batch size.
struct Known {
  DType dtype = DType::s64;  ///< s64, s32 or boolean
  std::vector<std::int64_t> shape;
  std::vector<Dim> values;

  [[nodiscard]] std::size_t rank() const noexcept { return shape.size(); }
};

/// More elements than any shape has; larger integer tensors are data, not shapes.
inline constexpr std::int64_t kMostKnown = 1024;

/// `tensor` as Known; nothing when it holds no integers or too many.
std::optional<Known> known_from(const Tensor& tensor);
/// The elements as a tensor; Error(unsupported) when one of them depends on the batch size.
Tensor to_tensor(const Known& known);
/// A list of the extents of `shape`.
Known known_from(const Shape& shape);

// Arithmetic on elements; nothing where the result is no fixed number and no multiple of the batch, or
// overflows.
std::optional<Dim> sum(Dim a, Dim b);
std::optional<Dim> difference(Dim a, Dim b);
std::optional<Dim> product(Dim a, Dim b);
/// Only exact quotients: 6N / 2, 6N / 3N, but also 7 / 2 = 3 of plain numbers (towards zero).
std::optional<Dim> quotient(Dim a, Dim b);

}  // namespace octavo::onnx_import
