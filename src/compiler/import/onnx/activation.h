#pragma once
#include "compiler/import/onnx/onnx_node.h"

namespace octavo::onnx_import {

/// `value` through the function that 'activation' and 'activation_params' of a fused com.microsoft operator
/// name.
ValueId add_activation(OnnxNode& node, ValueId value);

}  // namespace octavo::onnx_import
