#include "base/thread_team.h"

#include <immintrin.h>
#include <sched.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "base/fail.h"
#include "base/pinned.h"

namespace octavo {
namespace {

// A pause takes some 140 cycles on Intel since Skylake, 65 on Zen 4: 400 of them are 10 to 20 µs, longer than
// most imbalances inside a step. Then a waiting thread offers its CPU between looks, which costs 0.3 µs while
// nobody else wants it; waking up a thread that sleeps costs 50 µs and more in a virtual machine.
constexpr int kSpins = 400;
constexpr std::int64_t kOfferingNs = 1'000'000;

/// Waits until `word` is no longer `old`.
void wait_for_change(const std::atomic<std::uint32_t>& word, std::uint32_t old) noexcept {
  for (int i = 0; i < kSpins; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    _mm_pause();
  }
  for (const std::int64_t end = now_ns() + kOfferingNs; now_ns() < end;) {
    if (word.load(std::memory_order_acquire) != old) return;
    ::sched_yield();
  }
  word.wait(old, std::memory_order_acquire);
}

void check_cpus(int threads, const std::vector<int>& cpus) {
  if (threads < 1 || threads > 4096) fail(ErrorCode::invalid_argument, "{} threads", threads);
  if (cpus.empty()) return;
  if (static_cast<int>(cpus.size()) != threads) {
    fail(ErrorCode::invalid_argument, "{} CPUs for {} threads", cpus.size(), threads);
  }
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  for (int cpu : cpus) {
    if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET(static_cast<unsigned>(cpu), &allowed)) {
      fail(ErrorCode::invalid_argument, "CPU {} is not among those this process may use", cpu);
    }
  }
}

}  // namespace

void SpinBarrier::wait() noexcept {
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 < count_) {
    wait_for_change(round_, round);
    return;
  }
  arrived_.store(0, std::memory_order_relaxed);
  round_.store(round + 1, std::memory_order_release);
  round_.notify_all();
}

ThreadTeam::ThreadTeam(int threads, std::vector<int> cpus)
    : size_(threads), cpus_(std::move(cpus)), barrier_(threads) {
  check_cpus(threads, cpus_);
  for (int index = 1; index < size_; ++index) threads_.emplace_back([this, index] { work(index); });
}

ThreadTeam::~ThreadTeam() {
  stopping_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
}

void ThreadTeam::work(int index) noexcept {
  if (!cpus_.empty()) {
    const cpu_set_t set = only_cpu(cpus_[static_cast<std::size_t>(index)]);
    ::sched_setaffinity(0, sizeof set, &set);
  }
  std::uint32_t seen = 0;
  for (;;) {
    wait_for_change(generation_, seen);
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    (*job_)(index);
    barrier_.wait();
  }
}

void ThreadTeam::run(const std::function<void(int)>& job) noexcept {
  const auto enter = [&] {
    if (size_ == 1) return job(0);
    job_ = &job;
    generation_.fetch_add(1, std::memory_order_release);
    generation_.notify_all();
    job(0);
    barrier_.wait();
  };
  if (cpus_.empty()) return enter();
  const Pinned pinned(cpus_[0]);
  enter();
}

}  // namespace octavo
