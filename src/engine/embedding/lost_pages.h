#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace octavo {

/// Watches a range of mapped files: reading a page that its file no longer has (somebody cut the file) raises
/// SIGBUS, which would end the process. While a watch lives, such a page reads as zeros instead, and the
/// watch knows. The first watch installs a handler for SIGBUS that passes everything outside of watched
/// ranges on to the handler before it; it stays.
class LostPageWatch {
 public:
  /// Error(unsupported) when too many ranges are watched already.
  LostPageWatch(const std::byte* data, std::int64_t bytes);
  LostPageWatch(const LostPageWatch&) = delete;
  LostPageWatch& operator=(const LostPageWatch&) = delete;
  ~LostPageWatch();

  /// The first byte that was found missing, or nullptr.
  [[nodiscard]] const std::byte* lost() const noexcept;

 private:
  std::size_t slot_;
};

/// Ranges that can be watched at a time.
inline constexpr std::size_t kMostWatches = 256;

}  // namespace octavo
