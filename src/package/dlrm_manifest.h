#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "package/dlrm_package.h"

namespace octavo {

/// What manifest.json of a DLRM package says (src/package/format.md).
struct DlrmManifest {
  DlrmModel model;
  DlrmProvenance provenance;
  std::map<std::string, std::uint32_t, std::less<>> weights;  ///< CRC-32C of each layer's files, by member
};

/// The text and back. `parse_dlrm_manifest` checks the model; Error(invalid_model) names the offending key.
std::string dlrm_manifest_json(const DlrmManifest& manifest);
DlrmManifest parse_dlrm_manifest(std::string_view json);

}  // namespace octavo
