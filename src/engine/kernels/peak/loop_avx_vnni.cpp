#include <immintrin.h>

#include <cstdint>

namespace octavo {

std::int64_t peak_loop_avx_vnni(std::int64_t rounds) {
  constexpr int kSums = 12;
  __m256i sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_epi32(i);
  __m256i a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(-5);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_dpbusd_avx_epi32(sums[i], a, b);
  }
  for (int i = 0; i < kSums; ++i) asm volatile("" ::"x"(sums[i]));
  return rounds * kSums * 2 * 32;
}

}  // namespace octavo
