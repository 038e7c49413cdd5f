#include <cstring>

#include "engine/kernels/dlrm/dots_avx512.h"

namespace octavo {
namespace {

/// vpdpbusd multiplies u8 by s8: a + 128 stands for a, and 128 times the sum of b is taken away.
struct VnniProducts {
  static void begin() {}
  static void end() {}

  static OCTAVO_INLINE void multiply(const DlrmDotsWork& w, const std::int8_t* features,
                                     const std::int8_t* transposed, std::int32_t* sums) {
    for (std::int64_t j = 0; j < w.blocks; ++j) {
      const std::int8_t* const b = transposed + j * 16 * w.row_bytes;
      __m512i excess = _mm512_setzero_si512();
      const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
      for (std::int64_t k = 0; k < w.row_bytes; k += 4)
        excess = _mm512_dpbusd_epi32(excess, offset, _mm512_load_si512(b + k * 16));
      const __m512i begin = _mm512_sub_epi32(_mm512_setzero_si512(), excess);
      for (std::int64_t vector = 16 * j; vector < w.vectors; vector += 4) {
        const std::int64_t i = vector / 16;
        multiply_rows(features + vector * w.row_bytes, b, w.row_bytes, begin,
                      sums + (dlrm_dot_tiles(i) + j) * 256 + vector % 16 * 16);
      }
    }
  }

  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    finish_byte_products(w, sample, sums);
  }

 private:
  /// Four vectors against 16. Vectors come in blocks of 16: four there always are.
  static OCTAVO_INLINE void multiply_rows(const std::int8_t* a, const std::int8_t* b, std::int64_t row_bytes,
                                          __m512i begin, std::int32_t* sums) {
    __m512i sum[4] = {begin, begin, begin, begin};
    for (std::int64_t k = 0; k < row_bytes; k += 4) {
      const __m512i right = _mm512_load_si512(b + k * 16);
#pragma GCC unroll 4
      for (std::int64_t row = 0; row < 4; ++row) {
        std::uint32_t four;
        std::memcpy(&four, a + row * row_bytes + k, 4);
        sum[row] =
            _mm512_dpbusd_epi32(sum[row], _mm512_set1_epi32(static_cast<int>(four ^ 0x80808080U)), right);
      }
    }
    for (std::int64_t row = 0; row < 4; ++row) _mm512_store_si512(sums + 16 * row, sum[row]);
  }
};

}  // namespace

void dlrm_dots_avx512_vnni(const DlrmDotsWork& work) { dlrm_dots<VnniProducts, 128>(work); }

}  // namespace octavo
