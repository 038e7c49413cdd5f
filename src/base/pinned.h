#pragma once
#include <sched.h>

namespace octavo {

/// The set of one CPU.
cpu_set_t only_cpu(int cpu) noexcept;

/// Keeps the calling thread on one CPU and gives it its old affinity back when it goes. Does nothing where
/// the system refuses, and costs one system call for a thread that is kept there already.
class Pinned {
 public:
  explicit Pinned(int cpu) noexcept;
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned();

 private:
  cpu_set_t before_{};
  bool changed_ = false;
};

}  // namespace octavo
