#pragma once
#include <immintrin.h>

#include <cstdint>

// For files compiled for AVX-512 VNNI. All of it has internal linkage.

namespace octavo {
namespace {

/// The 4 bytes at `from`, at any address, in all 16 lanes.
inline __attribute__((always_inline)) __m512i broadcast4(const std::uint8_t* from) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

/// sum + the products of 4 u8 and 4 s8 in each of 16 lanes. Written as the instruction because gcc 12 copies
/// every accumulator twice a step around the intrinsic, which costs 15 % of the 3x3 layers of ResNet-50.
inline __attribute__((always_inline)) __m512i with_products(__m512i sum, __m512i x, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
  return sum;
}

/// The same, weights in memory, at any address.
inline __attribute__((always_inline)) __m512i with_products(__m512i sum, __m512i x, const void* weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "m"(*static_cast<const __m512i_u*>(weights)));
  return sum;
}

/// sum + the products of 2 s16 and 2 s16 in each of 16 lanes.
inline __attribute__((always_inline)) __m512i with_pairs(__m512i sum, __m512i x, __m512i weights) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
  return sum;
}

/// with_products in the lower 8 lanes, which takes half as long; what is in the others does not matter.
inline __attribute__((always_inline)) __m512i with_half_products(__m512i sum, __m512i x, __m512i weights) {
  asm("vpdpbusd %t2, %t1, %t0" : "+v"(sum) : "v"(x), "v"(weights));
  return sum;
}

/// 16 lanes, or 8, of products with the same four s8 at `weights`.
template <class Lanes>
inline __attribute__((always_inline)) Lanes with_products_of_four(Lanes sum, Lanes x, const void* weights) {
  using Four = std::int32_t __attribute__((may_alias));
  if constexpr (sizeof(Lanes) == 64) {
    asm("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(x), "m"(*static_cast<const Four*>(weights)));
  } else {
    asm("vpdpbusd %2%{1to8%}, %1, %0" : "+v"(sum) : "v"(x), "m"(*static_cast<const Four*>(weights)));
  }
  return sum;
}

}  // namespace
}  // namespace octavo
