#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "package/dlrm_package.h"

namespace octavo {

/// The rows of one embedding table as a model file has them, read piece by piece.
class TableSource {
 public:
  virtual ~TableSource() = default;
  /// Rows from `first_row` on, as many as `dst` (dim floats a row) has room for; the caller stays within the
  /// table. Error(io, invalid_model) when the file is damaged there.
  virtual void read(std::int64_t first_row, std::span<float> dst) = 0;
};

/// A DLRM in the form of some model file: its architecture, its layers, and its tables as streams. Never more
/// than the layers is in memory.
struct DlrmSource {
  DlrmModel model;  ///< tables with their rows and as f32
  DlrmProvenance provenance;
  std::vector<DlrmLayer> bottom;
  std::vector<DlrmLayer> top;
  std::vector<std::unique_ptr<TableSource>> tables;
};

/// A checkpoint as dlrm_s_pytorch saves it (torch.save): tensors `emb_l.T.weight`, `bot_l.L.weight`,
/// `bot_l.L.bias`, `top_l.L.weight`, `top_l.L.bias` in a dict, or in its item 'state_dict'; names may share a
/// prefix "module.". Nothing of the file is ever run.
DlrmSource open_dlrm_checkpoint(const std::filesystem::path& path);

/// The demo's folder of raw files p0, p1, …: weights and bias of each bottom layer, the tables, the indices
/// of the interaction's triangle (i64), weights and bias of each top layer.
DlrmSource open_dlrm_parameters(const std::filesystem::path& folder);

/// An ONNX export; its embedding bags are ATen operators, Loops around a Gather, or plain Gathers. Only
/// tables in external files are streamed: what the .onnx itself holds (below 2 GB) is in memory.
DlrmSource open_dlrm_onnx(const std::filesystem::path& path);
/// Whether an ONNX model has an input of whole numbers, as recommendation models do and networks for pictures
/// do not. Error(invalid_model) for what is no ONNX model.
bool takes_row_numbers(const std::filesystem::path& path);

/// A finished package of Octavo's, its tables decoded: to be stored with other row formats.
DlrmSource open_dlrm_package_source(const std::filesystem::path& folder);

/// Whichever of the four `path` is, told by content. Errors (io, invalid_model, unsupported) start with the
/// path.
DlrmSource open_dlrm_source(const std::filesystem::path& path);

}  // namespace octavo
