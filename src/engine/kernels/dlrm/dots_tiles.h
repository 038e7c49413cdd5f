#pragma once
#include "engine/kernels/amx/tiles.h"
#include "engine/kernels/dlrm/dots_avx512.h"

// The products of feature vectors on tiles, for files compiled for AMX or for AVX-512 with emulated tiles. A
// type `Dots` says what is multiplied and what becomes of the sums. All of it has internal linkage.

namespace octavo {
namespace {

struct ByteDots {
  template <class Tiles, int c, int a, int b>
  static OCTAVO_INLINE void dot() {
    Tiles::template dot_ss<c, a, b>();
  }
  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    finish_byte_products<0>(w, sample, sums);
  }
};

template <class Tiles, class Dots>
struct TileProducts {
  static void begin() {
    TileConfig config;
    for (int tile = 0; tile < 8; ++tile) config.rows[tile] = 16, config.row_bytes[tile] = 64;
    Tiles::configure(config);
  }
  static void end() { Tiles::release(); }
  static OCTAVO_INLINE __m512i kept(__m512i dwords, __m512i&) { return dwords; }

  static OCTAVO_INLINE void multiply(const DlrmDotsWork& w, const std::int8_t* features,
                                     const std::int8_t* transposed, const std::int32_t*, std::int32_t* sums) {
    Tiles::publish();
    if (w.blocks == 2) return multiply_two_blocks(w, features, transposed, sums);
    for (std::int64_t i = 0; i < w.blocks; ++i) {
      for (std::int64_t j = 0; j <= i; ++j, sums += 256) {
        Tiles::template zero<0>();
        for (std::int64_t step = 0; step < w.row_bytes; step += kDlrmStep) {
          Tiles::template load<4>(features + i * 16 * w.row_bytes + step, w.row_bytes);
          Tiles::template load<6>(transposed + j * 16 * w.row_bytes + step * 16, 64);
          Dots::template dot<Tiles, 0, 4, 6>();
        }
        Tiles::template store<0>(sums, 64);
      }
    }
  }

  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    Dots::finish(w, sample, sums);
  }

 private:
  /// 17 to 32 vectors: the three tiles of sums side by side.
  static OCTAVO_INLINE void multiply_two_blocks(const DlrmDotsWork& w, const std::int8_t* features,
                                                const std::int8_t* transposed, std::int32_t* sums) {
    const std::int64_t block = 16 * w.row_bytes;
    Tiles::template zero<0>(), Tiles::template zero<1>(), Tiles::template zero<2>();
    for (std::int64_t step = 0; step < w.row_bytes; step += kDlrmStep) {
      Tiles::template load<4>(features + step, w.row_bytes);
      Tiles::template load<6>(transposed + step * 16, 64);
      Dots::template dot<Tiles, 0, 4, 6>();
      Tiles::template load<5>(features + block + step, w.row_bytes);
      Dots::template dot<Tiles, 1, 5, 6>();
      Tiles::template load<7>(transposed + block + step * 16, 64);
      Dots::template dot<Tiles, 2, 5, 7>();
    }
    Tiles::template store<0>(sums, 64);
    Tiles::template store<1>(sums + 256, 64);
    Tiles::template store<2>(sums + 512, 64);
  }
};

}  // namespace
}  // namespace octavo
