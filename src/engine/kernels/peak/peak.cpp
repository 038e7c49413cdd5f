#include "engine/kernels/peak/peak.h"

#include "engine/kernels/peak/best_rate.h"

namespace octavo {
namespace {

double best_of(std::int64_t (*loop)(std::int64_t)) {
  constexpr std::int64_t kRounds = 50000;
  return best_rate([&] { return loop(kRounds); });
}

}  // namespace

double peak_ops_per_second(Isa isa) {
  switch (isa) {
    case Isa::amx_int8:
      return best_of(peak_loop_amx_int8);
    case Isa::avx512_vnni:
      return best_of(peak_loop_avx512_vnni);
    case Isa::avx_vnni:
      return best_of(peak_loop_avx_vnni);
    case Isa::avx2:
      return best_of(peak_loop_avx2);
    default:
      return 0;
  }
}

}  // namespace octavo
