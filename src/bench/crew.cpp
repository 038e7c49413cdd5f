#include "bench/crew.h"

#include <chrono>
#include <condition_variable>
#include <ctime>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/pinned.h"

namespace octavo::bench {
namespace {

constexpr std::chrono::milliseconds kProgressEvery{250};

}  // namespace

void Crew::run(const std::function<void(std::size_t)>& work) {
  std::mutex mutex;
  std::condition_variable ended;
  std::size_t running = instances_.size();
  std::exception_ptr error;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    threads.emplace_back([&, i] {
      std::exception_ptr mine;
      try {
        const std::vector<int>& cpus = instances_[i]->place().cpus;
        std::optional<Pinned> pinned;
        if (!cpus.empty()) pinned.emplace(cpus.front());
        work(i);
      } catch (...) {
        mine = std::current_exception();
        has_failed_.store(true, std::memory_order_relaxed);
      }
      const std::lock_guard lock(mutex);
      if (mine && !error) error = mine;
      --running;
      ended.notify_one();
    });
  }
  const std::int64_t begin = now_ns();
  std::unique_lock lock(mutex);
  while (!ended.wait_for(lock, kProgressEvery, [&] { return running == 0; })) {
    if (!watch_.progress) continue;
    const double seconds = static_cast<double>(now_ns() - begin) * 1e-9;
    watch_.progress(static_cast<double>(tally.share_millionths.load()) * 1e-6,
                    static_cast<double>(tally.items.load()) / seconds);
  }
  lock.unlock();
  threads.clear();
  if (error) std::rethrow_exception(error);
}

std::int64_t process_cpu_ns() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace octavo::bench
