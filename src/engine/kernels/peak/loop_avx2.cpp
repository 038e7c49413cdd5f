#include <immintrin.h>

#include <cstdint>

namespace octavo {

std::int64_t peak_loop_avx2(std::int64_t rounds) {
  constexpr int kSums = 6;  // few enough for products of their own in registers
  __m256i sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_epi32(i);
  __m256i a = _mm256_set1_epi16(3), b = _mm256_set1_epi16(-5);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 6
    for (int i = 0; i < kSums; ++i) {
      asm volatile("" : "+x"(a), "+x"(b));
      sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(a, b));
    }
  }
  for (int i = 0; i < kSums; ++i) asm volatile("" ::"x"(sums[i]));
  return rounds * kSums * 2 * 16;
}

}  // namespace octavo
