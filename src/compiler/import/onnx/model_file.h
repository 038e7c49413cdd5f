#pragma once
#include <cstddef>
#include <span>

#include "compiler/import/onnx/proto.h"

namespace octavo::onnx_import {

/// The message in `bytes`, of which protobuf has checked the framing only. Error(invalid_model) when they are
/// no complete ONNX model or nest too deeply, Error(unsupported) when there are 2 GB of them.
onnx::ModelProto parse_model(std::span<const std::byte> bytes);

}  // namespace octavo::onnx_import
