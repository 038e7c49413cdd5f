#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

namespace octavo {

/// A file read piece by piece, for files larger than memory: unlike a mapping, what was read does not count
/// as this process's memory. Reading is safe from several threads.
class StreamedFile {
 public:
  /// Error(io) with the path and the system's reason when it cannot be opened or is no regular file.
  explicit StreamedFile(std::filesystem::path path);
  StreamedFile(const StreamedFile&) = delete;
  StreamedFile& operator=(const StreamedFile&) = delete;
  ~StreamedFile();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Bytes when it was opened.
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// Fills `dst` from byte `offset` on. Error(io) when the file ends before or cannot be read.
  void read(std::int64_t offset, std::span<std::byte> dst) const;
  /// Gives `take` all bytes in their order, a megabyte at a time. Error(io) as `read`.
  void read_all(const std::function<void(std::span<const std::byte>)>& take) const;

 private:
  std::filesystem::path path_;
  std::int64_t size_ = 0;
  int fd_ = -1;
};

/// Makes `folder` and what is missing above it. Error(io) with the system's reason.
void make_folder(const std::filesystem::path& folder);

}  // namespace octavo
