#pragma once
#include <cstddef>
#include <cstdint>

namespace octavo {

/// Hands out parts of one block of memory, each on a cache line of its own. Begun at nullptr it only counts.
class Scratch {
 public:
  explicit Scratch(std::byte* memory) noexcept : memory_(memory) {}

  template <class T>
  T* take(std::int64_t count) noexcept {
    auto* const part = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + used_);
    used_ += (count * static_cast<std::int64_t>(sizeof(T)) + 63) / 64 * 64;
    return part;
  }
  [[nodiscard]] std::int64_t used() const noexcept { return used_; }

 private:
  std::byte* memory_;
  std::int64_t used_ = 0;
};

/// Bytes that `Buffers`, made of their owner and a Scratch, take of it.
template <class Buffers, class Owner>
std::int64_t bytes_of_buffers(const Owner& owner) noexcept {
  Scratch scratch(nullptr);
  Buffers{owner, scratch};
  return scratch.used();
}

}  // namespace octavo
