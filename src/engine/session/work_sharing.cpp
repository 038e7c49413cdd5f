#include "engine/session/work_sharing.h"

#include <span>
#include <utility>

namespace octavo {
namespace {

// A second call costs more than its part of one: 0.2 to 0.4 % where no thread is ever held up. An eighth
// evens out a CPU that is a quarter slower for a while (docs/performance.md).
constexpr int kParts = 8;
constexpr Share::Parts kMost{0, kParts - 1, kParts};
constexpr Share::Parts kRest{kParts - 1, kParts, kParts};

}  // namespace

void WorkSharing::run(const Prepared& kernel, KernelArgs args, int thread) noexcept {
  const int threads = static_cast<int>(rests_.size());
  if (threads == 1 || !kernel.runs_in_parts(args.batch, threads)) return kernel.run(args, {thread, threads});

  Rest& own = rests_[static_cast<std::size_t>(thread)];
  const unsigned turn = own.steps++ % 2;
  own.is_taken[1 - turn].store(false, std::memory_order_relaxed);
  // Weights of its own that the rest reads come next, before those of a later step.
  const Share most{thread, threads, kMost}, rest{thread, threads, kRest};
  const std::span<const std::byte> weights = kernel.constants(args.batch, rest);
  const bool are_next = !weights.empty() && weights.data() != kernel.constants(args.batch, most).data();
  const std::span<const std::byte> later = std::exchange(args.next, are_next ? weights : args.next);
  kernel.run(args, most);

  args.continues = true;
  args.next = are_next ? later : std::span<const std::byte>{};
  for (int owner : {thread, thread ^ 1}) {
    if (owner >= threads) continue;
    std::atomic<bool>& is_taken = rests_[static_cast<std::size_t>(owner)].is_taken[turn];
    if (!is_taken.load(std::memory_order_relaxed) && !is_taken.exchange(true, std::memory_order_relaxed))
      kernel.run(args, {owner, threads, kRest});
    args.next = {};
  }
}

}  // namespace octavo
