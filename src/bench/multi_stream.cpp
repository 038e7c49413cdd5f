#include "bench/multi_stream.h"

#include <algorithm>

#include "base/clock.h"
#include "base/thread_team.h"
#include "bench/crew.h"
#include "bench/raw_dump.h"

namespace octavo::bench {
namespace {

class MultiStream {
 public:
  MultiStream(const Instances& instances, std::int64_t samples, const Timing& timing, const Watch& watch)
      : instances_(instances),
        samples_(samples),
        timing_(timing),
        watch_(watch),
        crew_(instances, watch),
        together_(static_cast<int>(instances.size())) {}

  Measured run() {
    crew_.run([this](std::size_t index) { work(index); });
    if (window_.items > 0) end_window(phase_begin_ns_ + measured_.elapsed_ns);  // the one that was cut short
    measured_.runs = measured_.latency.count();
    measured_.was_stopped = watch_.is_stopped();
    return std::move(measured_);
  }

 private:
  /// Every instance takes part in every query; the first one keeps time.
  void work(std::size_t index) {
    std::exception_ptr error;
    const auto part = [&](std::int64_t query) {
      const auto count = static_cast<std::int64_t>(instances_.size());
      const auto i = static_cast<std::int64_t>(index);
      const std::int64_t begin = samples_ * i / count, end = samples_ * (i + 1) / count;
      try {
        if (begin < end && !error) items_ += instances_[index]->run(query * samples_ + begin, end - begin);
      } catch (...) {
        error = std::current_exception();
        has_failed_ = true;
      }
    };
    RawBlock raw(index == 0 ? watch_.raw : nullptr);
    for (std::int64_t query = 0;; ++query) {
      if (index == 0) begin_query();
      together_.wait();
      if (is_over_) break;
      part(query);
      together_.wait();
      if (index == 0) end_query(raw);
    }
    if (error) std::rethrow_exception(error);
  }

  void begin_query() {
    const std::int64_t now = now_ns();
    if (phase_begin_ns_ == 0) phase_begin_ns_ = window_begin_ns_ = now;
    is_over_ = has_failed_ || crew_.should_stop() ||
               (!is_warming_ && measured_.windows.size() == static_cast<std::size_t>(timing_.windows));
    items_ = 0;
    query_begin_ns_ = now_ns();
  }

  void end_query(RawBlock& raw) {
    const std::int64_t now = now_ns();
    if (is_warming_) {
      if (now - phase_begin_ns_ < ns_of(timing_.warmup_seconds)) return;
      is_warming_ = false;
      phase_begin_ns_ = window_begin_ns_ = now;
      begin_cpu_ns_ = process_cpu_ns();
      return;
    }
    measured_.latency.add(now - query_begin_ns_);
    raw.add({0, query_begin_ns_, now - query_begin_ns_, items_});
    measured_.items += items_;
    measured_.elapsed_ns = now - phase_begin_ns_;
    measured_.cpu_ns = process_cpu_ns() - begin_cpu_ns_;
    window_.items += items_;
    crew_.tally.items += items_;
    const auto windows = static_cast<double>(measured_.windows.size() + 1);
    const auto share = static_cast<double>(measured_.elapsed_ns) / std::max(timing_.seconds * 1e9, 1.0);
    crew_.tally.share_millionths = static_cast<std::int64_t>(std::min(share, 1.0) * 1e6);
    if (measured_.elapsed_ns < ns_of(timing_.seconds * windows / timing_.windows)) return;
    end_window(now);
  }

  void end_window(std::int64_t now) {
    const auto elapsed = static_cast<double>(std::max<std::int64_t>(now - window_begin_ns_, 1));
    window_.items_per_second = static_cast<double>(window_.items) * 1e9 / elapsed;
    measured_.windows.push_back(std::exchange(window_, {}));
    window_begin_ns_ = now;
  }

  const Instances& instances_;
  const std::int64_t samples_;
  const Timing& timing_;
  const Watch& watch_;
  Crew crew_;
  SpinBarrier together_;
  std::atomic<bool> has_failed_{false};
  bool is_over_ = false;                ///< written by the first instance alone, before a query begins
  std::atomic<std::int64_t> items_{0};  ///< of this query
  // Of the first instance alone:
  Measured measured_;
  Window window_;
  bool is_warming_ = true;
  std::int64_t phase_begin_ns_ = 0, window_begin_ns_ = 0, query_begin_ns_ = 0, begin_cpu_ns_ = 0;
};

}  // namespace

Measured run_multi_stream(const Instances& instances, std::int64_t samples, const Timing& timing,
                          const Watch& watch) {
  return MultiStream(instances, samples, timing, watch).run();
}

}  // namespace octavo::bench
