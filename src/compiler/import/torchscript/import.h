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

struct TorchScriptOptions {
  /// Shape per image, without the batch, of inputs by name: {"x": {3, 224, 224}}; the empty name stands for
  /// the only input.
  std::map<std::string, std::vector<std::int64_t>> input_shapes;
};

/// What the importer decided by itself and the user may want to know, a sentence each.
struct ImportNotes {
  std::vector<std::string> lines;
};

/// Turns a TorchScript file (traced, scripted, frozen or optimized for mobile) into a Graph that takes any
/// batch. Reading never runs anything of the file: its code is evaluated for shapes and settings only. An
/// input without a shape in `options` is taken to be an image of 224x224 with as many channels as the first
/// convolution has, and `notes` says so. Error(io) when the file cannot be read, Error(invalid_model) when it
/// is damaged, Error(unsupported) naming operator, module and source line for what Octavo cannot do,
/// Error(invalid_argument) for a shape of an input that is not there.
Graph import_torchscript(const std::filesystem::path& path, const TorchScriptOptions& options = {},
                         ImportNotes* notes = nullptr);
/// The same from memory, which need only live for the call.
Graph import_torchscript(std::span<const std::byte> file, const TorchScriptOptions& options = {},
                         ImportNotes* notes = nullptr);

}  // namespace octavo
