#pragma once
#include <string_view>

#include "compiler/import/onnx/onnx_node.h"

namespace octavo::onnx_import {

/// Whether shape arithmetic knows the operator.
bool is_evaluated(std::string_view op) noexcept;

/// Computes the node now when everything it reads is known: Shape, and what models do with shapes before they
/// reshape by them. The batch size stays a symbol. False, with nothing done, when something is unknown, not
/// an integer, or the result would mix the batch size with plain numbers; then the node is imported like any
/// other.
bool evaluate(OnnxNode& node);

}  // namespace octavo::onnx_import
