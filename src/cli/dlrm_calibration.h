#pragma once
#include "cli/dlrm_model.h"

namespace octavo::cli {

/// Measures the activations of the package in `folder` on the first `samples` of `data` and writes their
/// ranges into its manifest, so that it can be scored in int8. Only the rows that the samples name are read.
/// Returns how many samples there were. Error(invalid_argument) when there is none, or a row is outside of
/// its table.
std::int64_t calibrate_package(const std::filesystem::path& folder, const DlrmOptions& data,
                               std::int64_t samples);

}  // namespace octavo::cli
