#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace octavo {

std::uint64_t read_loop_avx2(const std::byte* memory, std::int64_t blocks) {
  __m256i sums[4] = {};
  for (std::int64_t block = 0; block < blocks; ++block, memory += 512) {
#pragma GCC unroll 16
    for (std::int64_t i = 0; i < 16; ++i) {
      const __m256i value = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(memory + 32 * i));
      sums[i % 4] = _mm256_or_si256(sums[i % 4], value);
    }
  }
  const __m256i sum = _mm256_or_si256(_mm256_or_si256(sums[0], sums[1]), _mm256_or_si256(sums[2], sums[3]));
  const __m128i half = _mm_or_si128(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  return static_cast<std::uint64_t>(_mm_extract_epi64(half, 0) | _mm_extract_epi64(half, 1));
}

std::int64_t f32_loop_avx2(std::int64_t rounds) {
  constexpr int kSums = 12;
  __m256 sums[kSums];  // each its own: the compiler computes equal ones once
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  __m256 a = _mm256_set1_ps(1.0F), b = _mm256_set1_ps(0x1p-20F);
  for (std::int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(a), "+x"(b));
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(a, b, sums[i]);
  }
  for (int i = 0; i < kSums; ++i) asm volatile("" ::"x"(sums[i]));
  return rounds * kSums * 2 * 8;
}

}  // namespace octavo
