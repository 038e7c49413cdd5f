#pragma once
#include <span>
#include <string_view>

#include "compiler/import/onnx/onnx_node.h"

namespace octavo::onnx_import {

/// How one ONNX operator becomes nodes of the Graph. `convert` reads the node's inputs and attributes and
/// gives results.
struct Converter {
  std::string_view domain;  ///< "" is ONNX's own
  std::string_view op;
  void (*convert)(OnnxNode&);
};

inline constexpr std::string_view kMicrosoft = "com.microsoft";

/// nullptr when Octavo has none.
const Converter* find_converter(std::string_view domain, std::string_view op) noexcept;

// The families, each in its own file.
std::span<const Converter> conv_converters();
std::span<const Converter> matrix_converters();
std::span<const Converter> pool_converters();
std::span<const Converter> elementwise_converters();
std::span<const Converter> constant_converters();
std::span<const Converter> shape_converters();
std::span<const Converter> slice_converters();
std::span<const Converter> reduce_converters();
std::span<const Converter> quantize_converters();
std::span<const Converter> qlinear_converters();

}  // namespace octavo::onnx_import
