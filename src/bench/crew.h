#pragma once
#include <atomic>
#include <cstdint>
#include <functional>

#include "bench/instance.h"
#include "bench/measured.h"

namespace octavo::bench {

/// What the instances of a measurement have done so far, for the progress that the waiting thread shows.
struct Tally {
  std::atomic<std::int64_t> items{0};
  std::atomic<std::int64_t> share_millionths{0};  ///< of the measurement that is done
};

/// Calls `work(index)` for every instance, each in a thread of its own on the instance's first CPU, while the
/// calling thread tells `watch` of the progress. Returns when all have returned; rethrows the error of the
/// first that failed, for which all others should look at `has_failed`.
class Crew {
 public:
  Crew(const Instances& instances, const Watch& watch) : instances_(instances), watch_(watch) {}
  void run(const std::function<void(std::size_t index)>& work);

  /// Whether the work should end early: the user asked for it, or another instance failed.
  [[nodiscard]] bool should_stop() const noexcept {
    return watch_.is_stopped() || has_failed_.load(std::memory_order_relaxed);
  }
  Tally tally;

 private:
  const Instances& instances_;
  const Watch& watch_;
  std::atomic<bool> has_failed_{false};
};

/// CPU time of all threads of this process so far.
std::int64_t process_cpu_ns() noexcept;

}  // namespace octavo::bench
