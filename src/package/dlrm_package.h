#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "octavo/tensor.h"
#include "package/dlrm_model.h"

namespace octavo {

/// A fully connected layer: y = weights · x + bias.
struct DlrmLayer {
  Tensor weights;  ///< f32 [outputs, inputs]
  Tensor bias;     ///< f32 [outputs]
};

/// Where a DLRM came from, for the manifest.
struct DlrmProvenance {
  std::string source;             ///< the file's or folder's name, or "synthetic"
  std::int64_t source_bytes = 0;  ///< its size
  std::string compiler;           ///< "octavo 0.1.0"
};

/// A DLRM package: a folder with manifest.json (kind "dlrm"), weights/ and tables/ (src/package/format.md).
/// The layers are in memory, the tables stay where they are.
struct DlrmPackage {
  std::filesystem::path folder;
  DlrmModel model;
  DlrmProvenance provenance;
  std::vector<DlrmLayer> bottom;
  std::vector<DlrmLayer> top;

  /// The file with table t's rows, and nothing else.
  [[nodiscard]] std::filesystem::path table_path(std::size_t t) const;
};

/// Whether `path` is a folder with a manifest.
bool is_package_folder(const std::filesystem::path& path);

/// Reads the manifest and the layers, whose checksums must hold, and looks at the tables' sizes, not at their
/// bytes. Error(io) for what cannot be read, Error(invalid_model) naming the file that is damaged, missing,
/// short or long.
DlrmPackage open_dlrm_package(const std::filesystem::path& folder);

/// Reads all of table t and compares its checksum. Error(invalid_model) naming the file.
void check_table(const DlrmPackage& package, std::size_t t);

/// "tables/3.s8_table": the member that holds table t.
std::string table_member(std::size_t t, RowFormat format);

/// All members of a package: manifest.json, the layers' files, the tables.
std::vector<std::string> dlrm_members(const DlrmModel& model);

/// Writes the layers' files below `folder`, each whole or not at all.
void write_dlrm_layers(const std::filesystem::path& folder, const std::vector<DlrmLayer>& bottom,
                       const std::vector<DlrmLayer>& top);
/// Writes manifest.json, which makes the folder a package: to be called last. The layers are those that
/// `write_dlrm_layers` wrote; every table's file must be there. Error(io).
void write_dlrm_manifest(const DlrmPackage& package);

}  // namespace octavo
