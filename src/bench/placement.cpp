#include "bench/placement.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fail.h"

namespace octavo::bench {
namespace {

bool holds(const std::vector<int>& list, int cpu) {
  return std::find(list.begin(), list.end(), cpu) != list.end();
}

/// The CPUs to use, checked.
std::vector<int> usable(const SystemFacts& system, const std::vector<int>& cpus) {
  std::set<int> seen;
  for (int cpu : cpus) {
    if (!holds(system.cpus, cpu)) {
      fail(ErrorCode::invalid_argument, "CPU {} is not among those this process may use: {}", cpu,
           fmt::join(system.cpus, ","));
    }
    if (!seen.insert(cpu).second) fail(ErrorCode::invalid_argument, "CPU {} is named twice", cpu);
  }
  return cpus.empty() ? system.cpus : cpus;
}

/// Those of `cpus` that are the first of their physical core.
std::vector<int> cores_among(const SystemFacts& system, const std::vector<int>& cpus) {
  const auto firsts = std::min(system.cpus.size(), static_cast<std::size_t>(system.physical_cores));
  std::vector<int> cores;
  for (std::size_t i = 0; i < firsts; ++i) {
    if (holds(cpus, system.cpus[i])) cores.push_back(system.cpus[i]);
  }
  return cores.empty() ? cpus : cores;
}

int cut_to_quota(const SystemFacts& system, std::size_t count) {
  const auto all = static_cast<int>(count);
  if (!system.quota_cpus) return all;
  return std::clamp(static_cast<int>(std::ceil(*system.quota_cpus)), 1, std::max(all, 1));
}

}  // namespace

std::vector<Place> place(const SystemFacts& system, Split split, const std::vector<int>& cpus,
                         Sharing sharing) {
  if (sharing == Sharing::free) {
    if (!cpus.empty()) fail(ErrorCode::invalid_argument, "a list of CPUs to share: use taskset");
    return {static_cast<std::size_t>(split.instances), Place{split.threads, {}}};
  }
  const std::vector<int> all = usable(system, cpus);
  const std::int64_t wanted = std::int64_t{split.instances} * split.threads;
  const char* const from = cpus.empty() ? "this process has" : "the list names";
  if (wanted > static_cast<std::int64_t>(all.size())) {
    fail(ErrorCode::invalid_argument, "{} instances of {} threads need {} CPUs, {} {}: {}", split.instances,
         split.threads, wanted, from, all.size(), fmt::join(all, ","));
  }
  if (wanted > cut_to_quota(system, all.size())) {
    fail(ErrorCode::invalid_argument, "{} instances of {} threads are more than the quota of {:g} CPUs in {}",
         split.instances, split.threads, *system.quota_cpus, system.quota_from);
  }
  std::vector<Place> places;
  auto next = all.begin();
  for (int i = 0; i < split.instances; ++i, next += split.threads) {
    places.push_back({split.threads, {next, next + split.threads}});
  }
  return places;
}

int most_threads(const SystemFacts& system, const std::vector<int>& cpus) {
  return cut_to_quota(system, usable(system, cpus).size());
}

Split split_for(const SystemFacts& system, Hint hint, const std::vector<int>& cpus) {
  const std::vector<int> cores = cores_among(system, usable(system, cpus));
  const int most = cut_to_quota(system, cores.size());
  if (hint == Hint::throughput) return {most, 1};
  int near = most;
  for (const NumaNode& node : system.nodes) {
    if (!holds(node.cpus, cores.front())) continue;
    const auto inside = std::count_if(cores.begin(), cores.end(), [&](int c) { return holds(node.cpus, c); });
    near = std::min(most, static_cast<int>(inside));
  }
  return {1, near};
}

std::vector<int> read_cpu_list(const std::string& text) {
  std::vector<int> cpus = parse_cpu_list(text);
  if (cpus.empty()) fail(ErrorCode::invalid_argument, "CPU list '{}' is none: expected 0-3,8", text);
  return cpus;
}

}  // namespace octavo::bench
