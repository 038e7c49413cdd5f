#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace octavo {

/// Lets `count` threads wait for each other, many times in a row: spins first, then offers its CPU to others
/// for up to 1 ms, then sleeps on a futex, so that a thread whose partner lost its CPU does not burn its own.
class SpinBarrier {
 public:
  explicit SpinBarrier(int count) noexcept : count_(count) {}
  void wait() noexcept;

 private:
  const int count_;
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

/// A fixed team of threads that enters a job together (SPMD). The caller is thread 0; the others wait
/// between jobs in the same way.
class ThreadTeam {
 public:
  /// `cpus`, when not empty, holds one CPU per thread; the threads that the team owns are pinned to theirs,
  /// and the caller to the first while it is inside `run`. Error(invalid_argument) when a CPU cannot be had.
  ThreadTeam(int threads, std::vector<int> cpus);
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;
  ~ThreadTeam();

  [[nodiscard]] int size() const noexcept { return size_; }
  /// Calls job(index) once in every thread, index 0 in the caller's; returns when all have returned. The job
  /// must not throw.
  void run(const std::function<void(int)>& job) noexcept;
  /// For use inside a job, by all threads.
  void wait_for_all() noexcept { barrier_.wait(); }

 private:
  void work(int index) noexcept;

  int size_;
  std::vector<int> cpus_;
  SpinBarrier barrier_;
  const std::function<void(int)>* job_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::jthread> threads_;
};

}  // namespace octavo
