#pragma once
#include <algorithm>
#include <chrono>

namespace octavo {

/// The most of what `work` returns that is done in a second: the best of 7 passes after one to warm up.
template <class Work>
double best_rate(Work work) {
  constexpr int kPasses = 7;
  work();
  double best = 0;
  for (int i = 0; i < kPasses; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const auto amount = work();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(amount) / seconds.count());
  }
  return best;
}

}  // namespace octavo
