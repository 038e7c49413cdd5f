#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace octavo {

std::uint64_t read_loop_avx512(const std::byte* memory, std::int64_t blocks) {
  __m512i sums[4] = {};
  for (std::int64_t block = 0; block < blocks; ++block, memory += 512) {
#pragma GCC unroll 8
    for (std::int64_t i = 0; i < 8; ++i)
      sums[i % 4] = _mm512_or_si512(sums[i % 4], _mm512_loadu_si512(memory + 64 * i));
  }
  const __m512i sum = _mm512_or_si512(_mm512_or_si512(sums[0], sums[1]), _mm512_or_si512(sums[2], sums[3]));
  return static_cast<std::uint64_t>(_mm512_reduce_or_epi64(sum));
}

std::int64_t f32_loop_avx512(std::int64_t rounds) {
  constexpr int kSums = 12;
  __m512 sums[kSums];  // each its own: the compiler computes equal ones once
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  __m512 a = _mm512_set1_ps(1.0F), b = _mm512_set1_ps(0x1p-20F);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(a, b, sums[i]);
  }
  for (int i = 0; i < kSums; ++i) asm volatile("" ::"v"(sums[i]));
  return rounds * kSums * 2 * 16;
}

}  // namespace octavo
