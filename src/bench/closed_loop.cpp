#include "bench/closed_loop.h"

#include <algorithm>
#include <barrier>

#include "base/clock.h"
#include "bench/crew.h"
#include "bench/raw_dump.h"

namespace octavo::bench {
namespace {

/// What one instance did.
struct Account {
  Histogram latency;
  std::vector<Window> windows;
  std::int64_t items = 0;
};

class ClosedLoop {
  /// What the last instance to be warm does for all.
  struct Begin {
    ClosedLoop* loop;
    void operator()() const noexcept { loop->begin_measuring(); }
  };

 public:
  ClosedLoop(const Instances& instances, std::int64_t batch, const Timing& timing, const Watch& watch)
      : instances_(instances),
        batch_(batch),
        timing_(timing),
        watch_(watch),
        crew_(instances, watch),
        accounts_(instances.size()),
        all_warm_(static_cast<std::ptrdiff_t>(instances.size()), Begin{this}) {}

  Measured run() {
    crew_.run([this](std::size_t index) { work(index); });
    Measured measured;
    measured.elapsed_ns = now_ns() - begin_ns_;
    measured.cpu_ns = process_cpu_ns() - begin_cpu_ns_;
    measured.was_stopped = watch_.is_stopped();
    for (const Account& account : accounts_) {
      measured.latency.add(account.latency);
      measured.items += account.items;
      // An early end leaves later windows without a part of some instance: they do not count.
      measured.windows.resize(&account == &accounts_.front()
                                  ? account.windows.size()
                                  : std::min(measured.windows.size(), account.windows.size()));
      for (std::size_t w = 0; w < measured.windows.size(); ++w) {
        measured.windows[w].items += account.windows[w].items;
        measured.windows[w].items_per_second += account.windows[w].items_per_second;
      }
    }
    measured.runs = measured.latency.count();
    return measured;
  }

 private:
  void begin_measuring() noexcept {
    begin_cpu_ns_ = process_cpu_ns();
    begin_ns_ = now_ns();
  }

  void work(std::size_t index) {
    Instance& instance = *instances_[index];
    const auto stride = static_cast<std::int64_t>(instances_.size()) * batch_;
    std::int64_t sample = static_cast<std::int64_t>(index) * batch_;
    warm_up(instance, sample);
    all_warm_.arrive_and_wait();
    Account& account = accounts_[index];
    RawBlock raw(watch_.raw);
    std::int64_t last = now_ns();
    for (int w = 0; w < timing_.windows && !crew_.should_stop(); ++w) {
      const std::int64_t window_begin = last;
      const std::int64_t window_end = begin_ns_ + ns_of(timing_.seconds * (w + 1) / timing_.windows);
      Window window;
      do {
        const std::int64_t items = instance.run(sample, batch_);
        const std::int64_t now = now_ns();
        account.latency.add(now - last);
        raw.add({static_cast<std::int32_t>(index), last, now - last, items});
        last = now;
        window.items += items;
        sample += stride;
        report(items, now);
      } while (last < window_end && !crew_.should_stop());
      window.items_per_second = static_cast<double>(window.items) * 1e9 /
                                static_cast<double>(std::max<std::int64_t>(last - window_begin, 1));
      account.items += window.items;
      account.windows.push_back(window);
    }
  }

  /// A run that fails must not leave the others waiting for this instance.
  void warm_up(Instance& instance, std::int64_t sample) {
    try {
      const std::int64_t end = now_ns() + ns_of(timing_.warmup_seconds);
      do {
        instance.run(sample, batch_);
      } while (now_ns() < end && !crew_.should_stop());
    } catch (...) {
      all_warm_.arrive_and_drop();
      throw;
    }
  }

  void report(std::int64_t items, std::int64_t now) {
    crew_.tally.items.fetch_add(items, std::memory_order_relaxed);
    const double share = static_cast<double>(now - begin_ns_) * 1e-9 / std::max(timing_.seconds, 1e-9);
    crew_.tally.share_millionths.store(static_cast<std::int64_t>(std::min(share, 1.0) * 1e6),
                                       std::memory_order_relaxed);
  }

  const Instances& instances_;
  const std::int64_t batch_;
  const Timing& timing_;
  const Watch& watch_;
  Crew crew_;
  std::vector<Account> accounts_;
  std::barrier<Begin> all_warm_;
  std::int64_t begin_ns_ = 0, begin_cpu_ns_ = 0;
};

}  // namespace

Measured run_closed_loop(const Instances& instances, std::int64_t batch, const Timing& timing,
                         const Watch& watch) {
  return ClosedLoop(instances, batch, timing, watch).run();
}

}  // namespace octavo::bench
