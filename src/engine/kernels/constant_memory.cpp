#include "engine/kernels/constant_memory.h"

#include <algorithm>

#include "base/divided_up.h"

namespace octavo {

std::span<std::byte> ConstantMemory::take(std::int64_t bytes) {
  constexpr std::int64_t kAlignment = 64;
  const std::int64_t needed = divided_up(bytes, kAlignment) * kAlignment;
  const std::lock_guard lock(mutex_);
  if (regions_.empty() || regions_.back().bytes() - used_ < needed) {
    regions_.push_back(MemoryRegion::zeros(std::max(needed, region_bytes_)));
    used_ = 0;
  }
  std::byte* const data = regions_.back().data() + used_;
  used_ += needed;
  return {data, static_cast<std::size_t>(bytes)};
}

PackedConstants::PackedConstants(std::int64_t bytes, ConstantMemory* memory) {
  if (memory != nullptr) {
    bytes_ = memory->take(bytes);
  } else {
    own_ = Tensor(DType::u8, {bytes});
    bytes_ = {own_.data(), static_cast<std::size_t>(bytes)};
  }
}

}  // namespace octavo
