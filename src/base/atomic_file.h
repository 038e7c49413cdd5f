#pragma once
#include <cstddef>
#include <filesystem>
#include <span>

namespace octavo {

/// A file that appears under its final name only when it is whole: written under a temporary name in the same
/// folder, then synced and renamed by `commit`. Without a commit the temporary file is removed and what stood
/// under the name stays.
class AtomicFile {
 public:
  /// Error(io) with the path and the system's reason when the file cannot be made.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  /// Error(io) when the bytes cannot be written, for example on a full disk.
  void write(std::span<const std::byte> bytes);
  void commit();

 private:
  [[noreturn]] void complain(const char* what) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

}  // namespace octavo
