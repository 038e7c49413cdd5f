#pragma once
#include <filesystem>
#include <span>

namespace octavo {

/// A file being written under a temporary name in the final folder. `commit` gives it its final name;
/// destroyed before that, it leaves nothing behind. So nobody ever sees half a file under the final name.
class AtomicFile {
 public:
  /// Creates the temporary file. Error(io) naming `path` when the folder cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Appends. Error(io) with the system's reason (disk full).
  void write(std::span<const std::byte> bytes);
  /// Flushes to the disk and renames. Error(io) when either is refused.
  void commit();

 private:
  [[noreturn]] void refuse(int reason) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

}  // namespace octavo
