#include "base/pinned.h"

#include <gtest/gtest.h>

#include <thread>

namespace octavo {
namespace {

cpu_set_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}

TEST(Pinned, KeepsTheThreadOnItsCpuAndLetsItGoAgain) {
  std::thread([] {
    const cpu_set_t before = affinity();
    int cpu = 0;
    while (!CPU_ISSET(static_cast<unsigned>(cpu), &before)) ++cpu;
    const cpu_set_t one = only_cpu(cpu);
    {
      const Pinned outer(cpu);
      cpu_set_t now = affinity();
      EXPECT_TRUE(CPU_EQUAL(&now, &one));
      { const Pinned inner(cpu); }
      now = affinity();
      EXPECT_TRUE(CPU_EQUAL(&now, &one)) << "the inner one had nothing to give back";
    }
    const cpu_set_t after = affinity();
    EXPECT_TRUE(CPU_EQUAL(&after, &before));
  }).join();
}

TEST(Pinned, LeavesTheThreadAloneWhereThereIsNoSuchCpu) {
  const cpu_set_t before = affinity();
  const Pinned nowhere(1000);
  const cpu_set_t now = affinity();
  EXPECT_TRUE(CPU_EQUAL(&now, &before));
}

}  // namespace
}  // namespace octavo
