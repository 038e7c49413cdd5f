#include "bench/server.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>
#include <thread>

#include "base/clock.h"
#include "base/fail.h"
#include "bench/closed_loop.h"
#include "bench/crew.h"
#include "bench/raw_dump.h"

namespace octavo::bench {
namespace {

constexpr double kMostQueries = 5e7;
// Sleeping threads wake up to 0.1 ms late on virtual machines: the rest of a wait is spun.
constexpr std::int64_t kSpinNs = 100'000;
constexpr std::int64_t kLongestSleepNs = 50'000'000;

/// Waits until `until`, or less long: whoever waits looks again.
void wait_towards(std::int64_t until) {
  const std::int64_t left = until - now_ns();
  if (left > 2 * kSpinNs) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(left - kSpinNs, kLongestSleepNs)));
  } else {
    _mm_pause();
  }
}

class Server {
 public:
  Server(const Instances& instances, const ServerLoad& load, const Watch& watch)
      : instances_(instances),
        load_(load),
        watch_(watch),
        crew_(instances, watch),
        arrivals_(arrivals(load)),
        latencies_(instances.size()) {}

  ServerMeasured run() {
    for (const auto& instance : instances_) {
      for (std::int64_t batch : {load_.max_batch, std::int64_t{1}}) instance->run(0, batch);
    }
    const std::int64_t begin_cpu = process_cpu_ns();
    begin_ns_ = now_ns();
    crew_.run([this](std::size_t index) { serve(index); });
    ServerMeasured result{.queries_per_second = load_.queries_per_second};
    Measured& measured = result.measured;
    measured.elapsed_ns = std::max<std::int64_t>(now_ns() - begin_ns_, 1);
    measured.cpu_ns = process_cpu_ns() - begin_cpu;
    measured.items = items_;
    measured.runs = runs_;
    for (const Histogram& latency : latencies_) measured.latency.add(latency);
    measured.windows = {
        {items_, static_cast<double>(items_) * 1e9 / static_cast<double>(measured.elapsed_ns)}};
    measured.was_stopped = watch_.is_stopped();
    result.late = late_;
    result.is_hopeless = gave_up_;
    result.is_met = !gave_up_ && !is_hopeless(0) && !measured.was_stopped;
    return result;
  }

 private:
  struct Batch {
    std::size_t first, count;
  };

  /// Whether more queries are late, counting `waiting` that nobody has taken, than may be in the whole trial.
  [[nodiscard]] bool is_hopeless(std::int64_t waiting) const {
    return static_cast<double>(late_ + waiting) > (1 - load_.share) * static_cast<double>(arrivals_.size());
  }

  /// Queries that nobody has taken although their bound is over at `now`.
  [[nodiscard]] std::int64_t overdue(std::int64_t now) const {
    const auto first = arrivals_.begin() + static_cast<std::ptrdiff_t>(next_);
    return std::lower_bound(first, arrivals_.end(), now - load_.latency_bound_ns) - first;
  }

  /// The queries that wait, up to the largest batch; none when all are served or the trial ends.
  Batch take() {
    for (;;) {
      std::int64_t next_arrival = 0;
      {
        const std::lock_guard lock(mutex_);
        const std::int64_t now = now_ns() - begin_ns_;
        gave_up_ = gave_up_ || is_hopeless(overdue(now));
        if (next_ == arrivals_.size() || crew_.should_stop() || gave_up_) return {next_, 0};
        const std::size_t first = next_;
        while (next_ < arrivals_.size() && arrivals_[next_] <= now &&
               next_ - first < static_cast<std::size_t>(load_.max_batch)) {
          ++next_;
        }
        if (next_ > first) return {first, next_ - first};
        next_arrival = arrivals_[next_];
      }
      wait_towards(begin_ns_ + next_arrival);
    }
  }

  void serve(std::size_t index) {
    RawBlock raw(watch_.raw);
    for (Batch batch = take(); batch.count > 0; batch = take()) {
      const std::int64_t items = instances_[index]->run(static_cast<std::int64_t>(batch.first),
                                                        static_cast<std::int64_t>(batch.count));
      const std::int64_t end = now_ns() - begin_ns_;
      for (std::size_t query = batch.first; query < batch.first + batch.count; ++query) {
        const std::int64_t latency = end - arrivals_[query];
        latencies_[index].add(latency);
        if (latency > load_.latency_bound_ns) ++late_;
        raw.add({static_cast<std::int32_t>(index), begin_ns_ + arrivals_[query], latency, 1});
      }
      items_ += items;
      ++runs_;
      crew_.tally.items += items;
      crew_.tally.share_millionths = static_cast<std::int64_t>(batch.first * 1'000'000 / arrivals_.size());
    }
  }

  const Instances& instances_;
  const ServerLoad& load_;
  const Watch& watch_;
  Crew crew_;
  const std::vector<std::int64_t> arrivals_;
  std::vector<Histogram> latencies_;  ///< by instance
  std::int64_t begin_ns_ = 0;
  std::mutex mutex_;
  std::size_t next_ = 0;  ///< the first query that nobody took
  bool gave_up_ = false;
  std::atomic<std::int64_t> late_{0}, items_{0}, runs_{0};
};

}  // namespace

std::vector<std::int64_t> arrivals(const ServerLoad& load) {
  if (!(load.queries_per_second > 0) || load.queries_per_second * load.seconds > kMostQueries) {
    fail(ErrorCode::invalid_argument, "{:g} queries a second for {:g} s: expected 1 to {:g} queries",
         load.queries_per_second, load.seconds, kMostQueries);
  }
  const auto count =
      static_cast<std::size_t>(std::max(std::llround(load.queries_per_second * load.seconds), 1LL));
  std::mt19937_64 random(load.seed);
  std::vector<double> times(count + 1);
  double sum = 0;
  for (double& time : times) {
    // Uniform in (0, 1]: the top 53 bits.
    sum -= std::log((static_cast<double>(random() >> 11U) + 1) * 0x1p-53);
    time = sum;
  }
  std::vector<std::int64_t> arrivals(count);
  for (std::size_t i = 0; i < count; ++i) arrivals[i] = ns_of(times[i] / sum * load.seconds);
  return arrivals;
}

ServerMeasured run_server(const Instances& instances, const ServerLoad& load, const Watch& watch) {
  return Server(instances, load, watch).run();
}

ServerMeasured find_server_rate(const Instances& instances, ServerLoad load, const Watch& watch,
                                const std::function<void(const ServerMeasured&)>& trial) {
  constexpr double kNearEnough = 1.03;
  constexpr int kMostTrials = 12;
  constexpr double kFewestQueries = 10;
  const Measured closed = run_closed_loop(instances, load.max_batch, {load.seconds / 5, load.seconds / 20, 1},
                                          {watch.stop, watch.progress, nullptr});
  // In samples, as the rate is: a sample may be many items.
  double kept = 0, missed = static_cast<double>(closed.runs * load.max_batch) * 1e9 /
                            static_cast<double>(std::max<std::int64_t>(closed.elapsed_ns, 1));
  std::optional<ServerMeasured> best, last;
  for (int i = 0; i < kMostTrials && missed > kept * kNearEnough && !watch.is_stopped(); ++i) {
    load.queries_per_second = kept > 0 ? std::sqrt(kept * missed) : missed / 2;
    if (last && load.queries_per_second * load.seconds < kFewestQueries) break;
    last = run_server(instances, load, watch);
    if (trial) trial(*last);
    if (last->measured.was_stopped) break;
    (last->is_met ? kept : missed) = load.queries_per_second;
    if (last->is_met) best = last;
  }
  if (best) return *best;
  if (last) return *last;
  return {.queries_per_second = 0, .measured = closed};
}

}  // namespace octavo::bench
