#include "engine/session/work_sharing.h"

#include <gtest/gtest.h>

#include <functional>
#include <mutex>
#include <thread>

#include "base/thread_team.h"

namespace octavo {
namespace {

/// What one call of a kernel was told.
struct Call {
  std::thread::id thread;
  Share share;
  bool continues;
  std::ptrdiff_t next_bytes;

  [[nodiscard]] bool is_rest() const { return share.parts.first > 0; }
};

/// Counts how often each item of a step is done. Its constants belong to all items, or are divided with them.
class Counting final : public Prepared {
 public:
  bool is_divisible = true;
  bool has_own_weights = false;
  std::function<void(Share)> before_call = [](Share) {};
  mutable std::vector<std::atomic<int>> items = std::vector<std::atomic<int>>(1000);
  mutable std::vector<Call> calls;
  mutable std::atomic<int> rests_done{0};

  [[nodiscard]] bool runs_in_parts(std::int64_t /*batch*/, int /*shares*/) const noexcept override {
    return is_divisible;
  }
  [[nodiscard]] std::span<const std::byte> constants(std::int64_t /*batch*/,
                                                     Share share) const noexcept override {
    if (!has_own_weights) return weights_;
    const auto [begin, end] = share.of(std::ssize(weights_));
    return std::span(weights_).subspan(static_cast<std::size_t>(begin),
                                       static_cast<std::size_t>(end - begin));
  }
  void run(const KernelArgs& args, Share share) const noexcept override {
    before_call(share);
    const auto [begin, end] = share.of(std::ssize(items));
    for (std::int64_t i = begin; i < end; ++i) ++items[static_cast<std::size_t>(i)];
    const std::lock_guard lock(mutex_);
    calls.push_back({std::this_thread::get_id(), share, args.continues, std::ssize(args.next)});
    if (calls.back().is_rest()) ++rests_done;
  }

 private:
  std::vector<std::byte> weights_ = std::vector<std::byte>(1600);
  mutable std::mutex mutex_;
};

void run_step(const Prepared& kernel, ThreadTeam& team, WorkSharing& sharing) {
  team.run([&](int thread) { sharing.run(kernel, {}, thread); });
}

TEST(WorkSharing, DoesEveryItemOfEveryStepOnce) {
  for (int threads : {1, 2, 3, 4, 7}) {
    ThreadTeam team(threads, {});
    WorkSharing sharing(threads);
    const Counting divided;
    Counting whole;
    whole.is_divisible = false;
    for (int step = 1; step <= 100; ++step) {
      run_step(divided, team, sharing);
      if (step % 3 == 0) run_step(whole, team, sharing);
      for (const auto& count : divided.items) ASSERT_EQ(count, step) << threads << " threads";
    }
    for (const auto& count : whole.items) ASSERT_EQ(count, 33) << threads << " threads";
    for (const Call& call : whole.calls) ASSERT_FALSE(call.is_rest() || call.continues);
  }
}

TEST(WorkSharing, LeavesTheRestOfAThreadThatIsLateToItsNeighbour) {
  ThreadTeam team(2, {});
  WorkSharing sharing(2);
  for (int late : {0, 1}) {
    Counting kernel;
    // The late thread does not begin with most of its share before both rests are done.
    kernel.before_call = [&](Share share) {
      const bool waits = share.index == late && share.parts.first == 0;
      while (waits && kernel.rests_done < 2) std::this_thread::yield();
    };
    run_step(kernel, team, sharing);
    for (const auto& count : kernel.items) ASSERT_EQ(count, 1);
    ASSERT_EQ(kernel.calls.size(), 4U);
    const Call& last = kernel.calls.back();
    EXPECT_EQ(last.share.index, late);
    for (const Call& call : kernel.calls) {
      EXPECT_EQ(call.thread == last.thread, &call == &last);
      EXPECT_EQ(call.continues, call.is_rest());
    }
  }
}

TEST(WorkSharing, AsksForTheWeightsOfTheRestBeforeThoseOfALaterStep) {
  WorkSharing sharing(2);
  const std::vector<std::byte> later(5);
  for (bool has_own_weights : {false, true}) {
    Counting kernel;
    kernel.has_own_weights = has_own_weights;
    // One after the other, so that the first does both rests.
    for (int thread : {0, 1}) sharing.run(kernel, {.inputs = {}, .next = later}, thread);
    std::vector<std::ptrdiff_t> asked;
    for (const Call& call : kernel.calls) asked.push_back(call.next_bytes);
    EXPECT_EQ(asked, has_own_weights ? (std::vector<std::ptrdiff_t>{100, 5, 0, 100})
                                     : (std::vector<std::ptrdiff_t>{5, 0, 0, 5}));
  }
}

}  // namespace
}  // namespace octavo
