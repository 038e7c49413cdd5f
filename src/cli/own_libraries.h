#pragma once
#include <filesystem>
#include <vector>

namespace octavo::cli {

/// The file of this program. Error(unsupported) when it was started by a loader, as in a bundle, so that the
/// system does not know it.
std::filesystem::path own_program();

/// The files of every shared library in this process, the C library and the loader included, by name.
std::vector<std::filesystem::path> own_libraries();

}  // namespace octavo::cli
