#pragma once
#include "engine/kernels/dlrm/finish_avx512.h"
#include "engine/kernels/dlrm/layer_tiles.h"

namespace octavo {
namespace {

/// u8 or s8 inputs.
template <bool is_signed>
struct ByteLayer {
  using Sum = std::int32_t;
  using Rule = PanelRule;

  template <class Tiles, int c, int a, int b>
  static OCTAVO_INLINE void dot() {
    if constexpr (is_signed) {
      Tiles::template dot_ss<c, a, b>();
    } else {
      Tiles::template dot_us<c, a, b>();
    }
  }
  static OCTAVO_INLINE Rule rule(const DlrmLayerWork& w, std::int64_t panel) { return panel_rule(w, panel); }
  static OCTAVO_INLINE void finish_two(const Sum* left, const Sum* right, const Rule& rule,
                                       std::uint8_t* dst) {
    octavo::finish_two(left, right, rule, dst);
  }
  static OCTAVO_INLINE std::uint8_t* dst(const DlrmLayerWork& w, std::int64_t group, std::int64_t panel) {
    return panel_dst(w, group, panel);
  }
};

template <class Tiles>
void dlrm_byte_layer_on_tiles(const DlrmLayerWork& work) {
  work.src_is_signed != 0 ? dlrm_layer_on_tiles<Tiles, ByteLayer<true>>(work)
                          : dlrm_layer_on_tiles<Tiles, ByteLayer<false>>(work);
}

}  // namespace
}  // namespace octavo
