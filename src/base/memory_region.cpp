#include "base/memory_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fail.h"

namespace octavo {
namespace {

/// A file descriptor that closes itself.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail(ErrorCode::io, "cannot open '{}': {}", path.string(), std::strerror(errno));
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(fd_); }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

}  // namespace

MemoryRegion::MemoryRegion(std::int64_t bytes, int protection) : bytes_(bytes) {
  if (bytes == 0) return;
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  const std::int64_t kept = (bytes + page - 1) / page * page;
  // A huge page more than asked for, of which what lies before the first huge page and the rest go back.
  void* const memory = ::mmap(nullptr, static_cast<std::size_t>(kept + kHugePageBytes), protection,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    fail(ErrorCode::io, "the system gives no {} bytes of address space: {}", bytes, std::strerror(errno));
  auto* const begin = static_cast<std::byte*>(memory);
  const std::int64_t skipped =
      (kHugePageBytes - static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(begin) % kHugePageBytes)) %
      kHugePageBytes;
  data_ = begin + skipped;
  if (skipped > 0) ::munmap(begin, static_cast<std::size_t>(skipped));
  if (kHugePageBytes > skipped) ::munmap(data_ + kept, static_cast<std::size_t>(kHugePageBytes - skipped));
}

MemoryRegion MemoryRegion::zeros(std::int64_t bytes) {
  // Whole huge pages, unless that would more than double it.
  const bool is_small = bytes < kHugePageBytes / 2;
  MemoryRegion region(is_small ? bytes : (bytes + kHugePageBytes - 1) / kHugePageBytes * kHugePageBytes,
                      PROT_READ | PROT_WRITE);
  if (bytes > 0) ::madvise(region.data_, static_cast<std::size_t>(region.bytes_), MADV_HUGEPAGE);
  return region;
}

MemoryRegion MemoryRegion::reserved(std::int64_t bytes) { return {bytes, PROT_NONE}; }

MemoryRegion::MemoryRegion(MemoryRegion&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryRegion& MemoryRegion::operator=(MemoryRegion&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MemoryRegion::~MemoryRegion() {
  if (data_ != nullptr) ::munmap(data_, static_cast<std::size_t>(bytes_));
}

void MemoryRegion::map(std::int64_t offset, const std::filesystem::path& path, std::int64_t bytes) {
  const OpenFile file(path);
  struct stat facts {};
  if (::fstat(file.fd(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size != bytes)
    fail(ErrorCode::io, "'{}' has {} bytes, expected {}", path.string(), facts.st_size, bytes);
  const auto size = static_cast<std::size_t>(bytes);
  void* const place = data_ + offset;
  if (::mmap(place, size, PROT_READ, MAP_SHARED | MAP_FIXED, file.fd(), 0) == MAP_FAILED)
    fail(ErrorCode::io, "cannot map '{}' ({} bytes): {}", path.string(), bytes, std::strerror(errno));
  ::madvise(place, size, MADV_RANDOM);
}

}  // namespace octavo
