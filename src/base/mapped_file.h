#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace octavo {

/// A file mapped read-only into memory. Moves, does not copy; unmaps when it goes.
class MappedFile {
 public:
  MappedFile() = default;
  /// Error(io) with the path and the system's reason when it cannot be opened or mapped, or is no regular
  /// file.
  explicit MappedFile(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }
  /// Takes the file's pages out of this process's memory; they come back, mostly from the system's cache of
  /// files, when they are touched. At any time, whoever is reading.
  void release() const noexcept;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace octavo
