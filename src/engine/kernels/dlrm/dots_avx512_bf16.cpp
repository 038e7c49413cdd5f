#include <cstring>

#include "engine/kernels/dlrm/dots_bf16.h"

namespace octavo {
namespace {

struct Bf16Products {
  static void begin() {}
  static void end() {}
  static OCTAVO_INLINE __m512i kept(__m512i dwords, __m512i&) { return dwords; }

  static OCTAVO_INLINE void multiply(const DlrmDotsWork& w, const std::int8_t* features,
                                     const std::int8_t* transposed, const std::int32_t*, std::int32_t* sums) {
    for (std::int64_t j = 0; j < w.blocks; ++j) {
      for (std::int64_t vector = 16 * j; vector < w.vectors; vector += 4) {
        multiply_rows(features + vector * w.row_bytes, transposed + j * 16 * w.row_bytes, w.row_bytes,
                      sums + (dlrm_dot_tiles(vector / 16) + j) * 256 + vector % 16 * 16);
      }
    }
  }

  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    finish_bf16_products(w, sample, sums);
  }

 private:
  /// Four vectors against 16. Vectors come in blocks of 16: four there always are.
  static OCTAVO_INLINE void multiply_rows(const std::int8_t* a, const std::int8_t* b, std::int64_t row_bytes,
                                          std::int32_t* sums) {
    __m512 sum[4] = {};
    for (std::int64_t k = 0; k < row_bytes; k += 4) {
      const auto right = (__m512bh)_mm512_load_si512(b + k * 16);
#pragma GCC unroll 4
      for (std::int64_t row = 0; row < 4; ++row) {
        std::int32_t two;
        std::memcpy(&two, a + row * row_bytes + k, 4);
        sum[row] = _mm512_dpbf16_ps(sum[row], (__m512bh)_mm512_set1_epi32(two), right);
      }
    }
    for (std::int64_t row = 0; row < 4; ++row) _mm512_store_ps(sums + 16 * row, sum[row]);
  }
};

}  // namespace

void dlrm_dots_avx512_bf16(const DlrmDotsWork& work) { dlrm_dots<Bf16Products, 256>(work); }

}  // namespace octavo
