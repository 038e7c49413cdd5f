#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

#include "package/dlrm_model.h"
#include "package/model_library.h"

namespace octavo::cli {

/// Writes a compiled model's three files into `folder`, which is made if it is not there:
/// saved_model_<N>.tar, saved_model_<N>.tar.so and model_serialized_tuned_<N>.json with N = `trials`, and
/// prints their names and sizes. Error(io).
void write_artifacts(const std::filesystem::path& folder, const Package& package, std::int64_t trials,
                     LibraryWeights weights);

/// Keeps what was chosen for a DLRM in its package, whose tables are too large to copy, and prints it.
/// Error(io).
void write_choices(const std::filesystem::path& package_folder, std::span<const DlrmTuning> choices);

/// Makes `folder` and tries to write there: who works for hours wants to know before. Error(io).
void require_writable(const std::filesystem::path& folder);

/// What --weights of `compile` and `tune` asks for: "inside" or "external".
LibraryWeights parse_library_weights(const std::string& text);

}  // namespace octavo::cli
