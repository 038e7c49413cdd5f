#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <utility>

namespace octavo {

inline constexpr std::int64_t kHugePageBytes = std::int64_t{2} * 1024 * 1024;

/// Address space of its own, from the system. Moves, does not copy; gives everything back when it goes.
class MemoryRegion {
 public:
  MemoryRegion() = default;
  /// Zeros, in huge pages where the system gives them; memory is taken as it is touched. Error(io) when there
  /// is not even the address space.
  static MemoryRegion zeros(std::int64_t bytes);
  /// Addresses without memory behind them, for `map`.
  static MemoryRegion reserved(std::int64_t bytes);
  MemoryRegion(MemoryRegion&& other) noexcept;
  MemoryRegion& operator=(MemoryRegion&& other) noexcept;
  MemoryRegion(const MemoryRegion&) = delete;
  MemoryRegion& operator=(const MemoryRegion&) = delete;
  ~MemoryRegion();

  /// Puts the first `bytes` bytes of a file at `offset` (whole pages), read-only, read from it when touched.
  /// Error(io) when that fails or the file has another size.
  void map(std::int64_t offset, const std::filesystem::path& file, std::int64_t bytes);

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::int64_t bytes() const noexcept { return bytes_; }

 private:
  MemoryRegion(std::int64_t bytes, int protection);

  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

/// Bytes that this process could still fill before the system runs short: the machine's available memory or
/// what the tightest cgroup v2 limit leaves, whichever is less; as the files below `root` tell. The largest
/// number there is when they tell nothing.
std::int64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace octavo
