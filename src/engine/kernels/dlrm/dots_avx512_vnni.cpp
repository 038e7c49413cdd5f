#include <cstdint>

#include "engine/kernels/dlrm/dots_avx512.h"
#include "engine/kernels/vnni.h"

namespace octavo {
namespace {

constexpr std::uint8_t kSigns = 0x80;

OCTAVO_INLINE __m512i signs() { return _mm512_set1_epi8(static_cast<char>(kSigns)); }
OCTAVO_INLINE void set_all(__m512i& lanes, std::int32_t value) { lanes = _mm512_set1_epi32(value); }
OCTAVO_INLINE void set_all(__m256i& lanes, std::int32_t value) { lanes = _mm256_set1_epi32(value); }
OCTAVO_INLINE __m512i with_signs_flipped(__m512i bytes) { return _mm512_xor_si512(bytes, signs()); }

/// vpdpbusd multiplies u8 by s8: a + 128 stands for a in the transposed features, and 128 times the sum of b
/// is taken away.
struct VnniProducts {
  static void begin() {}
  static void end() {}

  /// Adds up what is too much in the products with each of the 16 vectors.
  static OCTAVO_INLINE __m512i kept(__m512i dwords, __m512i& excess) {
    excess = with_products(excess, signs(), dwords);
    return with_signs_flipped(dwords);
  }

  static OCTAVO_INLINE void multiply(const DlrmDotsWork& w, const std::int8_t* features,
                                     const std::int8_t* transposed, const std::int32_t* excess,
                                     std::int32_t* sums) {
    for (std::int64_t first = 0; first < w.vectors; first += 8) {
      const std::int64_t i = first / 16;
      const std::int8_t* const b = features + first * w.row_bytes;
      std::int32_t* const tiles = sums + dlrm_dot_tiles(i) * 256 + first % 16 * 16;
      for (std::int64_t j = 0; j <= i; ++j) {
        const std::int8_t* const a = transposed + j * 16 * w.row_bytes;
        // Of the products of a triangle's first 8 rows the second 8 are in other rows too.
        if (j == i && first % 16 == 0) {
          multiply_rows<8, __m256i>(a, b, w.row_bytes, excess + first, tiles + 256 * j);
        } else if (w.vectors - first > 4) {
          multiply_rows<8, __m512i>(a, b, w.row_bytes, excess + first, tiles + 256 * j);
        } else {
          multiply_rows<4, __m512i>(a, b, w.row_bytes, excess + first, tiles + 256 * j);
        }
      }
    }
  }

  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    finish_byte_products<kSigns>(w, sample, sums);
    for (std::int64_t step = 0; step < w.row_bytes / kDlrmStep; ++step) {
      std::uint8_t* const x = top_step(w, sample, step);
      _mm512_store_si512(x, with_signs_flipped(_mm512_load_si512(x)));
    }
  }

 private:
  /// `rows` vectors of `b`, which there always are: vectors come in blocks of 16, with 16 or the first 8 of a
  /// block of transposed ones.
  template <int rows, class Lanes>
  static OCTAVO_INLINE void multiply_rows(const std::int8_t* a, const std::int8_t* b, std::int64_t row_bytes,
                                          const std::int32_t* excess, std::int32_t* tile) {
    Lanes sum[rows];
#pragma GCC unroll 8
    for (std::int64_t row = 0; row < rows; ++row) set_all(sum[row], -excess[row]);
    for (std::int64_t k = 0; k < row_bytes; k += 4) {
      const Lanes left = *reinterpret_cast<const Lanes*>(a + k * 16);
#pragma GCC unroll 8
      for (std::int64_t row = 0; row < rows; ++row)
        sum[row] = with_products_of_four(sum[row], left, b + row * row_bytes + k);
    }
#pragma GCC unroll 8
    for (std::int64_t row = 0; row < rows; ++row) *reinterpret_cast<Lanes*>(tile + 16 * row) = sum[row];
  }
};

}  // namespace

void dlrm_dots_avx512_vnni(const DlrmDotsWork& work) { dlrm_dots<VnniProducts, 128>(work); }

}  // namespace octavo
