#pragma once
#include "engine/kernels/dlrm/dots_bf16.h"
#include "engine/kernels/dlrm/dots_tiles.h"
#include "engine/kernels/dlrm/layer_tiles.h"

// The bf16 kernels on tiles, for files compiled for AMX or for AVX-512 BF16 with emulated tiles. All of it
// has internal linkage.

namespace octavo {
namespace {

struct PairLayer {
  using Sum = float;
  using Rule = Bf16Rule;

  template <class Tiles, int c, int a, int b>
  static OCTAVO_INLINE void dot() {
    Tiles::template dot_bf16<c, a, b>();
  }
  static OCTAVO_INLINE Rule rule(const DlrmLayerWork& w, std::int64_t panel) { return bf16_rule(w, panel); }
  static OCTAVO_INLINE void finish_two(const float* left, const float* right, const Rule& rule,
                                       std::uint8_t* dst) {
    finish_bf16(_mm512_load_ps(left), _mm512_load_ps(right), rule, dst);
    finish_bf16(_mm512_load_ps(left + 16), _mm512_load_ps(right + 16), rule, dst + kDlrmStep);
  }
  static OCTAVO_INLINE std::uint8_t* dst(const DlrmLayerWork& w, std::int64_t group, std::int64_t panel) {
    return bf16_panel_dst(w, group, panel);
  }
};

struct PairDots {
  template <class Tiles, int c, int a, int b>
  static OCTAVO_INLINE void dot() {
    Tiles::template dot_bf16<c, a, b>();
  }
  static OCTAVO_INLINE void finish(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
    finish_bf16_products(w, sample, sums);
  }
};

}  // namespace
}  // namespace octavo
