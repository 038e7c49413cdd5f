#include "data/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/fail.h"

namespace octavo {
namespace {

/// Unique among the threads and processes of this machine that may write the same file.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<unsigned> next{0};
  std::filesystem::path name = path;
  name += fmt::format(".{}-{}.tmp", ::getpid(), next++);
  return name;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {
  constexpr mode_t kReadableAsUmaskSays = 0666;
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kReadableAsUmaskSays);
  if (fd_ < 0) refuse(errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) refuse(errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) refuse(errno);
  ::close(std::exchange(fd_, -1));
}

void AtomicFile::refuse(int reason) const {
  fail(ErrorCode::io, "cannot write '{}': {}", path_.string(), std::strerror(reason));
}

}  // namespace octavo
