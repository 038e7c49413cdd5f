#include <immintrin.h>

#include "engine/kernels/eltwise/table_u8.h"

namespace octavo {

void table_u8_avx512_vnni(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y,
                          std::int64_t count) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64);
  const __m512i t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (std::int64_t i = 0; i < count; i += 64) {
    const __mmask64 mask = count - i >= 64 ? ~0ULL : (1ULL << (count - i)) - 1;
    const __m512i index = _mm512_maskz_loadu_epi8(mask, x + i);
    // The low seven bits choose within each half of the table, the highest bit the half.
    const __m512i low = _mm512_permutex2var_epi8(t0, index, t1);
    const __m512i high = _mm512_permutex2var_epi8(t2, index, t3);
    _mm512_mask_storeu_epi8(y + i, mask, _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high));
  }
}

}  // namespace octavo
