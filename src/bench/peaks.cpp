#include "bench/peaks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/cpu.h"
#include "base/thread_team.h"
#include "engine/kernels/peak/bandwidth.h"
#include "engine/kernels/peak/peak.h"
#include "octavo/tensor.h"

namespace octavo::bench {
namespace {

constexpr std::int64_t kUsualL2 = std::int64_t{1} << 20;
// Of all threads together: more than most L3 caches, and read in a tenth of a second.
constexpr std::int64_t kMemoryBytes = std::int64_t{256} << 20;

/// What all threads of `team` reach in sum that begin at the same time.
double together(ThreadTeam& team, const std::function<double(int thread)>& measure) {
  std::vector<double> rates(static_cast<std::size_t>(team.size()));
  team.run([&](int thread) {
    team.wait_for_all();
    rates[static_cast<std::size_t>(thread)] = measure(thread);
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

double int8_peak(ThreadTeam& team, Isa isa) {
  return together(team, [isa](int) { return peak_ops_per_second(isa); });
}

double read_rate(ThreadTeam& team, Isa isa, std::int64_t bytes) {
  std::vector<Tensor> memory(static_cast<std::size_t>(team.size()));
  // Touched by the thread that reads it, so that it lies near.
  team.run([&](int thread) { memory[static_cast<std::size_t>(thread)] = Tensor(DType::u8, {bytes}); });
  return together(team, [&](int thread) {
    return read_bytes_per_second(isa, memory[static_cast<std::size_t>(thread)].data(), bytes);
  });
}

}  // namespace

double int8_peak(const std::vector<Place>& places, Isa isa) {
  Place all{0, {}};
  for (const Place& place : places) {
    all.threads += place.threads;
    all.cpus.insert(all.cpus.end(), place.cpus.begin(), place.cpus.end());
  }
  ThreadTeam team(all.threads, all.cpus);
  return int8_peak(team, isa);
}

Peaks measure_peaks(const Place& place, Isa isa) {
  ThreadTeam team(place.threads, place.cpus);
  const std::int64_t l2 = cpu_facts().system.l2_bytes > 0 ? cpu_facts().system.l2_bytes : kUsualL2;
  return {isa,
          place.threads,
          int8_peak(team, isa),
          together(team, [isa](int) { return peak_f32_ops_per_second(isa); }),
          read_rate(team, isa, l2 / 2),
          read_rate(team, isa, kMemoryBytes / place.threads),
          l2};
}

std::string text_of(const Peaks& peaks) {
  return fmt::format("peaks measured: {} {:.3f} TOPS, f32 {:.3f} TOPS, L2 {:.0f} GB/s, memory {:.1f} GB/s\n",
                     isa_name(peaks.isa), peaks.int8_ops_per_second * 1e-12, peaks.f32_ops_per_second * 1e-12,
                     peaks.l2_bytes_per_second * 1e-9, peaks.memory_bytes_per_second * 1e-9);
}

nlohmann::ordered_json json_of(const Peaks& peaks) {
  return {{"isa", isa_name(peaks.isa)},
          {"int8_ops_per_second", peaks.int8_ops_per_second},
          {"f32_ops_per_second", peaks.f32_ops_per_second},
          {"l2_bytes_per_second", peaks.l2_bytes_per_second},
          {"memory_bytes_per_second", peaks.memory_bytes_per_second}};
}

}  // namespace octavo::bench
