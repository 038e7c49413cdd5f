#include <immintrin.h>

#include "engine/kernels/inline.h"
#include "engine/kernels/table_u8.h"

namespace octavo {
namespace {

struct Table {
  __m512i quarters[4];

  /// The low seven bits choose within each half of the table, the highest bit the half.
  [[nodiscard]] OCTAVO_INLINE __m512i at(__m512i index) const {
    const __m512i low = _mm512_permutex2var_epi8(quarters[0], index, quarters[1]);
    const __m512i high = _mm512_permutex2var_epi8(quarters[2], index, quarters[3]);
    return _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
  }
};

}  // namespace

void table_u8_avx512_vnni(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y,
                          std::int64_t count) {
  const Table t{{_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
                 _mm512_loadu_si512(table + 192)}};
  std::int64_t i = 0;
  for (; i + 64 <= count; i += 64) _mm512_storeu_si512(y + i, t.at(_mm512_loadu_si512(x + i)));
  // Halves and quarters without a mask, which stores wait for on Zen 4.
  if (i + 32 <= count) {
    const __m256i index = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    const __m512i results = t.at(_mm512_castsi256_si512(index));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), _mm512_castsi512_si256(results));
    i += 32;
  }
  if (i + 16 <= count) {
    const __m128i index = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    const __m512i results = t.at(_mm512_castsi128_si512(index));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), _mm512_castsi512_si128(results));
    i += 16;
  }
  if (i == count) return;
  const auto there = static_cast<__mmask16>((1U << (count - i)) - 1);
  const __m512i results = t.at(_mm512_castsi128_si512(_mm_maskz_loadu_epi8(there, x + i)));
  _mm_mask_storeu_epi8(y + i, there, _mm512_castsi512_si128(results));
}

}  // namespace octavo
