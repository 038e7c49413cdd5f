#include <immintrin.h>

#include <cstdint>

namespace octavo {

std::int64_t peak_loop_avx512_vnni(std::int64_t rounds) {
  constexpr int kSums = 12;
  __m512i sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_epi32(i);
  __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-5);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+v"(a), "+v"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_dpbusd_epi32(sums[i], a, b);
  }
  for (int i = 0; i < kSums; ++i) asm volatile("" ::"v"(sums[i]));
  return rounds * kSums * 2 * 64;
}

}  // namespace octavo
