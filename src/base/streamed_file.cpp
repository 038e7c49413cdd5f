#include "base/streamed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fail.h"

namespace octavo {

StreamedFile::StreamedFile(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) fail(ErrorCode::io, "cannot open '{}': {}", path_.string(), std::strerror(errno));
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(fd_);
    fail(ErrorCode::io, "cannot read '{}': not a regular file", path_.string());
  }
  size_ = facts.st_size;
}

StreamedFile::~StreamedFile() { ::close(fd_); }

void StreamedFile::read(std::int64_t offset, std::span<std::byte> dst) const {
  while (!dst.empty()) {
    const ssize_t got = ::pread(fd_, dst.data(), dst.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorCode::io, "cannot read '{}': {}", path_.string(), std::strerror(errno));
    if (got == 0) {
      fail(ErrorCode::io, "'{}' ends at byte {}, {} bytes short", path_.string(), offset, dst.size());
    }
    offset += got;
    dst = dst.subspan(static_cast<std::size_t>(got));
  }
}

void StreamedFile::read_all(const std::function<void(std::span<const std::byte>)>& take) const {
  constexpr std::int64_t kPiece = std::int64_t{1} << 20;
  std::vector<std::byte> piece(static_cast<std::size_t>(std::min(size_, kPiece)));
  for (std::int64_t at = 0; at < size_; at += kPiece) {
    const auto bytes = std::span(piece).first(static_cast<std::size_t>(std::min(size_ - at, kPiece)));
    read(at, bytes);
    take(bytes);
  }
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(ErrorCode::io, "cannot make the folder '{}': {}", folder.string(), error.message());
}

}  // namespace octavo
