#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "base/memory_region.h"
#include "octavo/tensor.h"

namespace octavo {

/// Memory for the packed constants of a plan's kernels, side by side in huge pages: those of a large network
/// need more pages of 4 KiB than a CPU keeps translations for (docs/performance.md). Thread-safe.
class ConstantMemory {
 public:
  /// `expected`: about how many bytes will be taken.
  explicit ConstantMemory(std::int64_t expected) : region_bytes_(expected + expected / 4) {}
  /// Zeros at a multiple of 64 bytes, for as long as this lives. Error(io) when there are none.
  std::span<std::byte> take(std::int64_t bytes);

 private:
  std::mutex mutex_;
  std::int64_t region_bytes_;
  std::vector<MemoryRegion> regions_;
  std::int64_t used_ = 0;  ///< of the last region
};

/// The packed constants of one kernel, zeros at first.
class PackedConstants {
 public:
  PackedConstants() = default;
  /// In `memory`, which outlives this, or of its own without one.
  PackedConstants(std::int64_t bytes, ConstantMemory* memory);

  [[nodiscard]] std::byte* data() noexcept { return bytes_.data(); }
  [[nodiscard]] const std::byte* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::int64_t bytes() const noexcept { return std::ssize(bytes_); }

 private:
  Tensor own_;
  std::span<std::byte> bytes_;
};

}  // namespace octavo
