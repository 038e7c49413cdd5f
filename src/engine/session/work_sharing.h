#pragma once
#include <array>
#include <atomic>
#include <vector>

#include "engine/kernels/kernel.h"

namespace octavo {

/// How the threads of a team do a step together. Each does most of its share in one call; the rest is for
/// whoever is free first, the thread or its neighbour, so that a thread whose CPU loses time to others does
/// not hold up the step by all of it (docs/performance.md).
class WorkSharing {
 public:
  explicit WorkSharing(int threads) : rests_(static_cast<std::size_t>(threads)) {}
  /// What thread `thread` does of a step. Every thread calls it for the same steps, and waits for all others
  /// after each.
  void run(const Prepared& kernel, KernelArgs args, int thread) noexcept;

 private:
  /// Whether the rest of a thread's share is taken, for two steps by turns: while that of one is, the thread
  /// makes the next one's ready.
  struct alignas(64) Rest {
    std::array<std::atomic<bool>, 2> is_taken{};
    unsigned steps = 0;  ///< that the thread has shared
  };

  std::vector<Rest> rests_;  ///< by thread
};

}  // namespace octavo
