#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/atomic_file.h"

namespace octavo {

/// A file inside a tar archive: its name and its bytes, in place.
struct TarMember {
  std::string name;
  std::span<const std::byte> bytes;
};

/// The regular files of a POSIX (ustar) archive, without copying. Error(invalid_model) for a damaged header,
/// a member that reaches past the end, a kind of member that Octavo does not write, or a missing end mark.
std::vector<TarMember> read_tar(std::span<const std::byte> archive);

/// Writes an uncompressed POSIX archive with fixed owner, mode and time, so that the same members give the
/// same bytes. The file appears under its name only when it is whole: it is written beside it and renamed.
/// Error(io) otherwise, and what stood under the name stays.
void write_tar(const std::filesystem::path& path, std::span<const TarMember> members);

/// Writes the same archive to a file that the caller commits.
void write_tar(AtomicFile& file, std::span<const TarMember> members);
/// How long that archive is.
std::int64_t tar_bytes(std::span<const TarMember> members);

}  // namespace octavo
