#include <cstring>

#include "engine/kernels/dlrm/dots_avx512.h"
#include "engine/kernels/vnni.h"

namespace octavo {
namespace {

constexpr std::uint8_t kSigns = 0x80;

/// vpdpbusd multiplies u8 by s8: a + 128 stands for a, and 128 times the sum of b is taken away.
struct VnniProducts {
  static void begin() {}
  static void end() {}

  static OCTAVO_INLINE void multiply(const DlrmDotsWork& w, const std::int8_t* features,
                                     const std::int8_t* transposed, std::int32_t* sums,
                                     std::uint8_t* flipped) {
    for (std::int64_t at = 0; at < w.vectors * w.row_bytes; at += kDlrmStep)
      _mm512_store_si512(flipped + at, with_signs_flipped(features + at));
    for (std::int64_t i = 0; i < w.blocks; ++i) {
      const std::int64_t end = w.vectors < 16 * (i + 1) ? w.vectors : 16 * (i + 1);
      for (std::int64_t j = 0; j <= i; j += 2) {
        const std::int8_t* const b = transposed + j * 16 * w.row_bytes;
        std::int32_t* const tile = sums + (dlrm_dot_tiles(i) + j) * 256;
        if (j < i) {
          multiply_rows<4, 2>(w, flipped, 16 * i, end, b, tile);
        } else {
          multiply_rows<8, 1>(w, flipped, 16 * i, end, b, tile);
        }
      }
    }
  }

  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    finish_byte_products<kSigns>(w, sample, sums);
    for (std::int64_t step = 0; step < w.row_bytes / kDlrmStep; ++step) {
      std::uint8_t* const x = top_step(w, sample, step);
      _mm512_store_si512(x, with_signs_flipped(x));
    }
  }

 private:
  static OCTAVO_INLINE __m512i with_signs_flipped(const void* from) {
    return _mm512_xor_si512(_mm512_load_si512(from), _mm512_set1_epi8(static_cast<char>(kSigns)));
  }

  /// Vectors first .. end - 1 against `blocks` times 16: eight sums of 16 at a time, as many as it takes for
  /// none to wait for itself. Vectors come in blocks of 16: `rows` there always are.
  template <int rows, int blocks>
  static OCTAVO_INLINE void multiply_rows(const DlrmDotsWork& w, const std::uint8_t* flipped,
                                          std::int64_t first, std::int64_t end, const std::int8_t* b,
                                          std::int32_t* tile) {
    const __m512i signs = _mm512_set1_epi8(static_cast<char>(kSigns));
    __m512i excess[blocks] = {};
    for (std::int64_t k = 0; k < w.row_bytes; k += 4) {
      for (std::int64_t j = 0; j < blocks; ++j)
        excess[j] = with_products(excess[j], signs, _mm512_load_si512(b + (j * w.row_bytes + k) * 16));
    }
    for (std::int64_t vector = first; vector < end; vector += rows, tile += std::int64_t{16} * rows) {
      const std::uint8_t* const a = flipped + vector * w.row_bytes;
      __m512i sum[rows][blocks];
#pragma GCC unroll 8
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t j = 0; j < blocks; ++j)
          sum[row][j] = _mm512_sub_epi32(_mm512_setzero_si512(), excess[j]);
      }
      for (std::int64_t k = 0; k < w.row_bytes; k += 4) {
        __m512i right[blocks];
        for (std::int64_t j = 0; j < blocks; ++j)
          right[j] = _mm512_load_si512(b + (j * w.row_bytes + k) * 16);
#pragma GCC unroll 8
        for (std::int64_t row = 0; row < rows; ++row) {
          std::int32_t four;
          std::memcpy(&four, a + row * w.row_bytes + k, 4);
          const __m512i left = _mm512_set1_epi32(four);
          for (std::int64_t j = 0; j < blocks; ++j) sum[row][j] = with_products(sum[row][j], left, right[j]);
        }
      }
#pragma GCC unroll 8
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t j = 0; j < blocks; ++j) _mm512_store_si512(tile + 256 * j + 16 * row, sum[row][j]);
      }
    }
  }
};

}  // namespace

void dlrm_dots_avx512_vnni(const DlrmDotsWork& work) { dlrm_dots<VnniProducts, 128>(work); }

}  // namespace octavo
