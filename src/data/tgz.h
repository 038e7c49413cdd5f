#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace octavo {

/// A file of a compressed archive.
struct TgzMember {
  std::string name;
  std::span<const std::byte> bytes;
  bool is_program = false;
  std::filesystem::path file = {};  ///< where given, its content goes in, which may be larger than memory
};

/// Writes a .tar.gz with fixed owners and times: the same members give the same bytes. The file appears whole
/// or not at all. `progress` is told how many bytes of the members are in. Error(io).
void write_tgz(const std::filesystem::path& path, std::span<const TgzMember> members,
               const std::function<void(std::int64_t bytes)>& progress = {});

}  // namespace octavo
