#include "engine/kernels/peak/peak.h"

#include <algorithm>
#include <chrono>

namespace octavo {
namespace {

constexpr int kLoops = 7;
constexpr std::int64_t kRounds = 50000;

double best_of(std::int64_t (*loop)(std::int64_t)) {
  loop(kRounds);
  double best = 0;
  for (int i = 0; i < kLoops; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const std::int64_t operations = loop(kRounds);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(operations) / seconds.count());
  }
  return best;
}

}  // namespace

double peak_ops_per_second(Isa isa) {
  switch (isa) {
    case Isa::amx_int8:
      return best_of(peak_loop_amx_int8);
    case Isa::avx512_vnni:
      return best_of(peak_loop_avx512_vnni);
    case Isa::avx2:
    case Isa::avx_vnni:
      return best_of(peak_loop_avx2);
    default:
      return 0;
  }
}

}  // namespace octavo
