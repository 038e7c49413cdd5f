#pragma once
#include <vector>

#include "compiler/import/onnx/external_files.h"
#include "octavo/tensor.h"

namespace octavo::onnx_import {

/// The dtype of ONNX's number for it; Error(unsupported) with ONNX's name or number when Octavo has none like
/// it.
DType read_dtype(std::int64_t onnx_type);

/// The extents of `tensor`, none negative, the product checked.
std::vector<std::int64_t> read_extents(const onnx::TensorProto& tensor);

/// A copy of the tensor's data, wherever the file keeps it. Error(invalid_model) with both numbers when it
/// has not as much data as its shape says; nothing is allocated then.
Tensor read_tensor(const onnx::TensorProto& tensor, ExternalFiles& files);

}  // namespace octavo::onnx_import
