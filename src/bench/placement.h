#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "bench/instance.h"

namespace octavo::bench {

/// How many instances of how many threads.
struct Split {
  int instances = 1;
  int threads = 1;
};

/// Whether every thread has a CPU of its own.
enum class Sharing {
  none,  ///< each is pinned to one
  free,  ///< none is pinned, and there may be more of them than CPUs
};

enum class Hint { latency, throughput };

/// CPUs for every thread of `split.instances` instances: physical cores first and neighbours together, in the
/// order of `cpus`, or where that is empty of the CPUs of this process. Error(invalid_argument) naming a CPU
/// that this process may not use or that is named twice, or more threads than there are CPUs or than the
/// quota lets run. With Sharing::free no place names a CPU.
std::vector<Place> place(const SystemFacts& system, Split split, const std::vector<int>& cpus,
                         Sharing sharing = Sharing::none);

/// How many threads may run at once: the CPUs given, or all, cut to the quota.
int most_threads(const SystemFacts& system, const std::vector<int>& cpus);

/// The split for this machine, of the physical cores among `cpus` (or all). For latency one instance on the
/// cores of one NUMA node, for throughput an instance of one thread on every core: instances need not wait
/// for each other.
Split split_for(const SystemFacts& system, Hint hint, const std::vector<int>& cpus);

/// "0-3,8" as numbers. Error(invalid_argument) naming a text that is none, or empty.
std::vector<int> read_cpu_list(const std::string& text);

}  // namespace octavo::bench
