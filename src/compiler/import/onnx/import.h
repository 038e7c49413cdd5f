#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace octavo {

/// What the caller knows better than an ONNX file.
struct OnnxOptions {
  /// Extents of an input by its name, without the batch: {"x", {3, 224, 224}} makes it [N,3,224,224] whatever
  /// the file says. The empty name stands for the only input.
  std::map<std::string, std::vector<std::int64_t>> input_shapes;
};

/// The graph of an ONNX model of opset 7 to 23, or an older one whose operators already had their later form.
/// An input whose first extent is unknown or symbolic runs at any batch. Quantized operators come out with
/// arithmetic=ort; QDQ pairs as `quantize` and `dequantize` nodes, which `qdq_to_quantized` turns into
/// quantized operators. Error(io) for a file that cannot be read, Error(invalid_model) for a damaged one,
/// Error(unsupported) with all operators that Octavo lacks, each with its nodes. Reading a model never runs
/// anything, and reads no file outside its folder.
Graph import_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// The same of a model in memory. `folder` is where external data files are looked for; none are read when it
/// is empty.
Graph import_onnx(std::span<const std::byte> bytes, const std::filesystem::path& folder,
                  const OnnxOptions& options);

}  // namespace octavo
