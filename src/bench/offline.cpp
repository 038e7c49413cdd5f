#include "bench/offline.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "bench/closed_loop.h"
#include "bench/crew.h"
#include "bench/raw_dump.h"

namespace octavo::bench {
namespace {

/// Samples that the instances score in a window of the time asked for, from a short trial; the warm-up too.
std::int64_t samples_for(const Instances& instances, std::int64_t batch, const Timing& timing,
                         const Watch& watch) {
  const double trial_seconds = std::max(timing.seconds / 10, 1e-3);
  const Measured trial =
      run_closed_loop(instances, batch, {trial_seconds, timing.warmup_seconds, 1}, {watch.stop, {}, nullptr});
  const double runs_per_second = static_cast<double>(trial.runs) * 1e9 /
                                 static_cast<double>(std::max<std::int64_t>(trial.elapsed_ns, 1));
  return static_cast<std::int64_t>(std::ceil(runs_per_second * timing.seconds / timing.windows)) * batch;
}

}  // namespace

Measured run_offline(const Instances& instances, std::int64_t batch, std::int64_t samples,
                     const Timing& timing, const Watch& watch) {
  const std::int64_t trial = samples_for(instances, batch, timing, watch);
  const std::int64_t each = samples > 0 ? std::max<std::int64_t>(samples / timing.windows, 1) : trial;
  Measured measured;
  for (int w = 0; w < timing.windows && !watch.is_stopped(); ++w) {
    Crew crew(instances, watch);
    std::atomic<std::int64_t> next{0}, items{0};
    std::vector<Histogram> latencies(instances.size());
    const std::int64_t begin_cpu = process_cpu_ns(), begin = now_ns();
    crew.run([&](std::size_t index) {
      RawBlock raw(watch.raw);
      for (;;) {
        const std::int64_t first = next.fetch_add(batch);
        if (first >= each || crew.should_stop()) return;
        const std::int64_t run_begin = now_ns();
        const std::int64_t done = instances[index]->run(first, std::min(batch, each - first));
        const std::int64_t latency = now_ns() - run_begin;
        latencies[index].add(latency);
        raw.add({static_cast<std::int32_t>(index), run_begin, latency, done});
        items += done;
        crew.tally.items += done;
        crew.tally.share_millionths = (w * each + first) * 1'000'000 / (each * timing.windows);
      }
    });
    const std::int64_t elapsed = std::max<std::int64_t>(now_ns() - begin, 1);
    measured.elapsed_ns += elapsed;
    measured.cpu_ns += process_cpu_ns() - begin_cpu;
    measured.items += items;
    measured.windows.push_back({items, static_cast<double>(items) * 1e9 / static_cast<double>(elapsed)});
    for (const Histogram& latency : latencies) measured.latency.add(latency);
  }
  measured.runs = measured.latency.count();
  measured.was_stopped = watch.is_stopped();
  return measured;
}

}  // namespace octavo::bench
