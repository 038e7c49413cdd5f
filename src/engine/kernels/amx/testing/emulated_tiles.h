#pragma once
#include <cstdint>
#include <string>

#include "engine/kernels/amx/tiles.h"

namespace octavo {

// The state and the arithmetic of 8 tiles of this thread, in plain C++ and compiled for any CPU. What
// hardware would fault on (or what the manual leaves undefined) is noted, once, and the operation left out.
namespace emulated {
void configure(const void* config);
void release();
void zero(int tile);
void load(int tile, const void* from, std::int64_t stride);
void store(int tile, void* to, std::int64_t stride);
void dot(int c, int a, int b, int a_is_signed);
void dot_bf16(int c, int a, int b);
/// The first fault of this thread since the last call, or "".
std::string take_fault();
}  // namespace emulated

namespace {

struct EmulatedTiles {
  static inline void configure(const TileConfig& config) { emulated::configure(&config); }
  static inline void release() { emulated::release(); }
  static inline void publish() {}
  template <int tile>
  static inline void zero() {
    emulated::zero(tile);
  }
  template <int tile>
  static inline void load(const void* from, std::int64_t stride) {
    emulated::load(tile, from, stride);
  }
  template <int tile>
  static inline void load_streamed(const void* from, std::int64_t stride) {
    emulated::load(tile, from, stride);
  }
  template <int tile>
  static inline void store(void* to, std::int64_t stride) {
    emulated::store(tile, to, stride);
  }
  template <int c, int a, int b>
  static inline void dot_us() {
    emulated::dot(c, a, b, 0);
  }
  template <int c, int a, int b>
  static inline void dot_ss() {
    emulated::dot(c, a, b, 1);
  }
  template <int c, int a, int b>
  static inline void dot_bf16() {
    emulated::dot_bf16(c, a, b);
  }
};

}  // namespace
}  // namespace octavo
