#pragma once
#include <cstdint>

// The thin interface that AMX kernels are written against: a type `Tiles` of static functions, one per tile
// instruction, the tile numbers being template arguments. HardwareTiles is the instructions; EmulatedTiles
// (testing/emulated_tiles.h) computes the same in plain C++ on any CPU and notes what hardware would fault
// on. Only files compiled for AMX, and the tests' emulated twins, include this.
//
// Palette 1: 8 tiles of up to 16 rows of 64 bytes. In a product c += a * b the tile c has a's rows and b's
// columns, and b's rows are a's columns in groups of 4 bytes.

namespace octavo {
namespace {

/// The 64 bytes that LDTILECFG reads.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

#if defined(__AMX_INT8__) || defined(__AMXINT8__)  // gcc's and clang 14's name
struct HardwareTiles {
  static inline void configure(const TileConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
  static inline void release() { asm volatile("tilerelease" ::); }
  template <int tile>
  static inline void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(tile));
  }
  // A load does not tell the compiler what it reads: `publish` stands between C++ stores and tile loads.
  static inline void publish() { asm volatile("" ::: "memory"); }
  template <int tile>
  static inline void load(const void* from, std::int64_t stride) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(tile), "r"(from), "r"(stride));
  }
  /// A load that asks for less of the L1 cache: for what is read once.
  template <int tile>
  static inline void load_streamed(const void* from, std::int64_t stride) {
    asm volatile("tileloaddt1 (%1,%2,1), %%tmm%c0" ::"i"(tile), "r"(from), "r"(stride));
  }
  template <int tile>
  static inline void store(void* to, std::int64_t stride) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(tile), "r"(to), "r"(stride) : "memory");
  }
  /// c += a (u8) * b (s8), sums of 4 products per s32.
  template <int c, int a, int b>
  static inline void dot_us() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
  }
  /// The same with a s8.
  template <int c, int a, int b>
  static inline void dot_ss() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
  }
  /// c += a * b in bf16, sums of 2 products per f32; numbers below 2^-126 count as zero. In files compiled
  /// for amx_bf16 only.
  template <int c, int a, int b>
  static inline void dot_bf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(c), "i"(a), "i"(b));
  }
};
#endif

}  // namespace
}  // namespace octavo
