#include "base/pinned.h"

namespace octavo {

cpu_set_t only_cpu(int cpu) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return set;
}

Pinned::Pinned(int cpu) noexcept {
  const cpu_set_t set = only_cpu(cpu);
  if (::sched_getaffinity(0, sizeof before_, &before_) != 0 || CPU_EQUAL(&before_, &set)) return;
  changed_ = ::sched_setaffinity(0, sizeof set, &set) == 0;
}

Pinned::~Pinned() {
  if (changed_) ::sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace octavo
