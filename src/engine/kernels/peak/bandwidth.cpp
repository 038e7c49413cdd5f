#include "engine/kernels/peak/bandwidth.h"

#include <algorithm>

#include "engine/kernels/peak/best_rate.h"

namespace octavo {
namespace {

constexpr std::int64_t kBlock = 512;
// A pass over less than this is too short to time: small memory is read several times.
constexpr std::int64_t kBytesAPass = std::int64_t{16} << 20;
constexpr std::int64_t kRounds = 50'000;

std::uint64_t read_loop_plain(const std::byte* memory, std::int64_t blocks) {
  std::uint64_t sum = 0;
  const auto* words = reinterpret_cast<const std::uint64_t*>(memory);
  for (std::int64_t i = 0; i < blocks * kBlock / 8; ++i) sum |= words[i];
  return sum;
}

}  // namespace

double read_bytes_per_second(Isa isa, const std::byte* memory, std::int64_t bytes) {
  auto* loop = read_loop_plain;
  if (implies(isa, Isa::avx2)) loop = read_loop_avx2;
  if (implies(isa, Isa::avx512)) loop = read_loop_avx512;
  const std::int64_t blocks = std::max<std::int64_t>(bytes / kBlock, 1);
  const std::int64_t times = std::max<std::int64_t>(kBytesAPass / (blocks * kBlock), 1);
  volatile std::uint64_t kept = 0;  // what is read must be used
  return best_rate([&] {
    for (std::int64_t i = 0; i < times; ++i) kept = kept | loop(memory, blocks);
    return times * blocks * kBlock;
  });
}

double peak_f32_ops_per_second(Isa isa) {
  if (implies(isa, Isa::avx512)) return best_rate([] { return f32_loop_avx512(kRounds); });
  if (implies(isa, Isa::avx2)) return best_rate([] { return f32_loop_avx2(kRounds); });
  return 0;
}

}  // namespace octavo
