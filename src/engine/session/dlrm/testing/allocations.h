#pragma once
#include <cstdint>

namespace octavo::testing {

/// Whether allocations of this program are seen: not under a sanitizer, which has an allocator of its own.
bool sees_allocations();

/// Counts every allocation of this process, on any thread, from when it is made: new, malloc, calloc,
/// realloc and the aligned ones. One at a time.
class AllocationCount {
 public:
  AllocationCount();
  [[nodiscard]] std::int64_t value() const;
};

}  // namespace octavo::testing
