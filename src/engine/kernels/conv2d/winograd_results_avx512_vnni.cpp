#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/finish_block.h"
#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/conv2d/winograd_sums.h"

namespace octavo {
namespace {

/// Of 576 times a sum there is what fits 32 bits; times 1/9 of 2^32 it is 64 times the sum.
OCTAVO_INLINE __m512i times_64(__m512i times_576) {
  constexpr int kNinth = 0x38E38E39;
  return _mm512_mullo_epi32(times_576, _mm512_set1_epi32(kNinth));
}

/// `rows` results below each other in `columns` columns. `from`: their sums by row of points, a column after
/// the other.
template <OutputForm form, bool is_scaled, bool is_whole, int rows>
OCTAVO_INLINE void finish_columns(const std::int32_t* const* from, std::int64_t columns, Places to,
                                  const WinogradBlock& b, const Numbers& n, const OutputRule& rule) {
  for (std::int64_t at = 0; at < columns * kWinogradPanel; at += kWinogradPanel) {
    __m512i m[kTileInputs], y[kTileResults];
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      if (!is_small(rows) || has_small_point(i)) m[i] = _mm512_loadu_si512(from[i] + at);
    }
    if constexpr (is_small(rows)) {
      small_results(m[0], m[1], m[2], m[5], y);
    } else {
      results(m, y);
    }
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) {
      y[i] = times_64(y[i]);
      if constexpr (!is_scaled) y[i] = plus(_mm512_srai_epi32(y[i], 6), n.start[0]);
    }
    finish_whole_block<form, is_whole, 1, rows>(y, to, n, rule);
    to.dst += b.dst_stride, to.residual += b.residual_stride;
  }
}

template <OutputForm form, bool is_scaled, bool is_whole, int rows>
void finish_row(const WinogradBlock& b, const TileRow& row, const WinogradPanel& panel, const Numbers& n) {
  const std::int64_t large = b.large_columns < b.columns ? b.large_columns * kTileResults : b.ow;
  const std::uint8_t* const residual = row.residual != nullptr ? row.residual + panel.channel : nullptr;
  Places to{row.dst + panel.channel, residual, b.ow * b.dst_stride, b.ow * b.residual_stride};
  const auto finish = [&](std::int64_t first_tile, std::int64_t columns) {
    const std::int32_t* from[kTileInputs];
    for (int i = 0; i < kTileInputs; ++i)
      from[i] = b.sums + (tiles_before(b, i) + tile_at(b, row, i, first_tile)) * kTileSums;
    finish_columns<form, is_scaled, is_whole, rows>(from, columns, to, b, n, panel.rule.exact);
    to.dst += columns * b.dst_stride, to.residual += columns * b.residual_stride;
  };
  finish(0, large);
  finish(b.large_columns, b.ow - large);
}

template <OutputForm form, bool is_scaled, bool is_whole>
void finish_rows_of(const WinogradBlock& b, const WinogradPanel& panel) {
  const Numbers n(panel.rule, panel.channels);
  for (std::int64_t i = 0; i < b.row_count; ++i) {
    const TileRow& row = b.rows[i];
    switch (row.results) {
      case 1:
        finish_row<form, is_scaled, is_whole, 1>(b, row, panel, n);
        break;
      case 2:
        finish_row<form, is_scaled, is_whole, 2>(b, row, panel, n);
        break;
      case 3:
        finish_row<form, is_scaled, is_whole, 3>(b, row, panel, n);
        break;
      default:
        finish_row<form, is_scaled, is_whole, 4>(b, row, panel, n);
    }
  }
}

template <OutputForm form, bool is_scaled>
void finish_scaled(const WinogradBlock& b, const WinogradPanel& panel) {
  panel.channels == kWinogradPanel ? finish_rows_of<form, is_scaled, true>(b, panel)
                                   : finish_rows_of<form, is_scaled, false>(b, panel);
}

template <OutputForm form>
void finish(const WinogradBlock& b, const WinogradPanel& panel) {
  if constexpr (kIsFast<form>) {
    if (panel.is_scaled) return finish_scaled<form, true>(b, panel);
  }
  finish_scaled<form, false>(b, panel);
}

}  // namespace

void winograd_finish_avx512_vnni(const WinogradBlock& block, const WinogradPanel& panel) {
  with_form(panel.form, [&]<OutputForm form>() {
    if constexpr (form != OutputForm::real) finish<form>(block, panel);  // real: of linear layers only
  });
}

}  // namespace octavo
