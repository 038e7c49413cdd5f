#pragma once
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace octavo {

/// A file of a compressed archive.
struct TgzMember {
  std::string name;
  std::span<const std::byte> bytes;
  bool is_program = false;
};

/// Writes a .tar.gz with fixed owners and times: the same members give the same bytes. The file appears whole
/// or not at all. Error(io).
void write_tgz(const std::filesystem::path& path, std::span<const TgzMember> members);

}  // namespace octavo
