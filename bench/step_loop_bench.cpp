// Times a session's step where there is nothing to do: what the executor itself costs. Prints nanoseconds a
// step with 1 thread and, where there are two CPUs, with 2.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/cpu.h"
#include "octavo/session.h"
#include "package/package.h"

namespace octavo {
namespace {

/// A chain of steps that copy one byte each: as near to no work as a kernel comes.
Package chain_of_copies(std::int32_t steps) {
  Plan plan;
  plan.name = "chain";
  const Shape shape{{1, true}};
  for (std::int32_t i = 0; i <= steps; ++i) {
    const Storage storage = i == 0 ? Storage::input : i == steps ? Storage::output : Storage::arena;
    const std::int64_t offset = storage == Storage::arena ? 64 * (i % 2) : 0;
    plan.tensors.push_back(
        {"t" + std::to_string(i), DType::boolean, shape, Layout::plain, std::nullopt, storage, offset});
    if (i > 0) {
      plan.steps.push_back(
          {"copy bytes1 dims=1 x_strides=1 begin=0 count=1 x_batch_stride1", "", {i - 1}, i, {}, ""});
    }
  }
  plan.inputs = {{"x", 0}};
  plan.outputs = {{"y", steps}};
  plan.bytes_per_image = 128;
  return make_package(std::move(plan), {}, {});
}

/// Nanoseconds a step, the best of many runs: what others do to this machine does not count.
double best_step_ns(int threads) {
  constexpr std::int32_t kSteps = 500;
  constexpr int kRuns = 400;
  SessionOptions options;
  options.threads = threads;
  const std::vector<int>& cpus = cpu_facts().system.cpus;
  options.cpus.assign(cpus.begin(), cpus.begin() + threads);
  Session session(chain_of_copies(kSteps), options);
  const Tensor x(DType::boolean, {1});
  session.set_input("x", x.view());
  double best = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    session.run();
    const std::chrono::duration<double, std::nano> ns = std::chrono::steady_clock::now() - begin;
    best = std::min(best, ns.count() / kSteps);
  }
  return best;
}

}  // namespace
}  // namespace octavo

int main() {
  const std::size_t cpus = octavo::cpu_facts().system.cpus.size();
  for (int threads = 1; threads <= 2 && static_cast<std::size_t>(threads) <= cpus; ++threads) {
    fmt::print("{} thread(s): {:.0f} ns a step\n", threads, octavo::best_step_ns(threads));
  }
}
