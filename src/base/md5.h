#pragma once
#include <filesystem>
#include <string>

namespace octavo {

/// The MD5 of a file of any size, 32 lower-case hex digits: what publishers give to tell a whole download
/// from a damaged one, no protection against malice. Error(io) when the file cannot be read.
std::string md5_of_file(const std::filesystem::path& path);

}  // namespace octavo
