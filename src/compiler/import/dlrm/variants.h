#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "package/dlrm_model.h"

namespace octavo {

/// A published DLRM: its exact architecture, and where its checkpoint can be had.
struct DlrmVariant {
  std::string_view name;  ///< "40m", "10m", "kaggle"
  std::string_view what;
  DlrmModel (*model)();      ///< tables as f32
  std::string_view url;      ///< of the checkpoint; empty when nobody publishes one
  std::string_view md5;      ///< 32 hex digits
  std::string_view licence;  ///< of the checkpoint
};

std::span<const DlrmVariant> dlrm_variants() noexcept;
/// Error(invalid_argument) listing the known names.
const DlrmVariant& find_dlrm_variant(std::string_view name);

}  // namespace octavo
