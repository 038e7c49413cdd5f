#include "engine/session/dlrm/testing/allocations.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OCTAVO_OWN_ALLOCATOR 0
#else
#define OCTAVO_OWN_ALLOCATOR 1
#endif

namespace octavo::testing {
namespace {

std::atomic<std::int64_t> allocations{0};

}  // namespace

bool sees_allocations() { return OCTAVO_OWN_ALLOCATOR != 0; }

AllocationCount::AllocationCount() { allocations = 0; }

std::int64_t AllocationCount::value() const { return allocations; }

}  // namespace octavo::testing

#if OCTAVO_OWN_ALLOCATOR
// The C library's functions under the names that it keeps for whoever replaces them: what a program defines
// itself is taken by all libraries too, and new is malloc there.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(std::size_t bytes) noexcept;
void* __libc_calloc(std::size_t count, std::size_t bytes) noexcept;
void* __libc_realloc(void* old, std::size_t bytes) noexcept;
void* __libc_memalign(std::size_t alignment, std::size_t bytes) noexcept;

void* malloc(std::size_t bytes) noexcept {
  ++octavo::testing::allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  ++octavo::testing::allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) noexcept {
  ++octavo::testing::allocations;
  return __libc_realloc(old, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  ++octavo::testing::allocations;
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept { return memalign(alignment, bytes); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  *memory = memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
}
// NOLINTEND(bugprone-reserved-identifier)
#endif
