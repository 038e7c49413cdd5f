#include "bench/peers/peer.h"

#include <sched.h>

#include <exception>
#include <thread>

namespace octavo::bench {

void run_on_cpus(const std::vector<int>& cpus, const std::function<void()>& action) {
  std::exception_ptr error;
  std::thread([&] {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu : cpus) CPU_SET(static_cast<unsigned>(cpu), &set);
    if (!cpus.empty()) ::sched_setaffinity(0, sizeof set, &set);
    try {
      action();
    } catch (...) {
      error = std::current_exception();
    }
  }).join();
  if (error) std::rethrow_exception(error);
}

TensorView sample_view(const PeerModel& model, std::size_t index, std::int64_t first, std::int64_t count) {
  const Tensor& all = model.samples->inputs[index];
  TensorView view = all.view();
  if (!model.inputs[index].is_batched) return view;
  first %= model.samples->count;
  if (first + count > model.samples->count) first = 0;
  view.shape[0] = model.inputs[index].shape[0] * count;
  view.data += first * (all.bytes() / model.samples->count);
  return view;
}

}  // namespace octavo::bench
