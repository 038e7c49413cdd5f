#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/session.h"

namespace octavo {

struct CompileOptions {
  /// Extents of inputs without the batch, by name: {"x": {3, 224, 224}}; the empty name stands for the only
  /// input.
  std::map<std::string, std::vector<std::int64_t>> input_shapes;
  /// Names of passes to leave out.
  std::set<std::string, std::less<>> disabled_passes;
  /// Also return the result of these places of the model (module paths, node names) as outputs of that name;
  /// "*" stands for all places.
  std::vector<std::string> layer_outputs;
  /// Told what a user may want to know: shapes that were assumed, steps without a fast kernel.
  std::function<void(const std::string&)> note;
  /// Called after the import and after each pass that changed the graph; `text` prints the graph.
  std::function<void(std::string_view pass, const std::function<std::string()>& text, double milliseconds)>
      after_pass;
};

/// Compiles a model file: TorchScript (.pt, .pth, .ptl) or ONNX (.onnx), told apart by content.
/// Error(io) when it cannot be read, Error(invalid_model) when it is damaged, Error(unsupported) naming what
/// Octavo has no way to do; every message starts with the file's name.
Package compile(const std::filesystem::path& model, const CompileOptions& options = {});

}  // namespace octavo
