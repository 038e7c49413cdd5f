#include "bench/testing/pretended.h"

#include <thread>

#include "base/clock.h"
#include "base/fail.h"

namespace octavo::bench {

std::int64_t Pretended::run(std::int64_t first, std::int64_t count) {
  const auto index = static_cast<int>(calls_.size());
  calls_.push_back({first, count});
  if (index == behaviour_.fail_at) fail(ErrorCode::internal, "pretended failure");
  if (index == behaviour_.stop_at && behaviour_.stop != nullptr) behaviour_.stop->store(true);
  if (behaviour_.running != nullptr) {
    const int now = ++*behaviour_.running;
    int most = *behaviour_.most_running;
    while (now > most && !behaviour_.most_running->compare_exchange_weak(most, now)) {
    }
  }
  const bool stalls =
      behaviour_.stall_every > 0 && index % behaviour_.stall_every == behaviour_.stall_every - 1;
  const std::int64_t end = now_ns() + 1000 * (behaviour_.run_us + (stalls ? behaviour_.stall_us : 0));
  if (behaviour_.sleeps) std::this_thread::sleep_for(std::chrono::nanoseconds(end - now_ns()));
  while (now_ns() < end) {
  }
  if (behaviour_.running != nullptr) --*behaviour_.running;
  return count;
}

Instances pretended(int count, const Behaviour& behaviour) {
  Instances instances;
  for (int i = 0; i < count; ++i) instances.push_back(std::make_unique<Pretended>(behaviour));
  return instances;
}

}  // namespace octavo::bench
