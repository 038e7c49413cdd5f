#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/caches.h"
#include "engine/kernels/conv2d/finish_block.h"
#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/vnni.h"

// Where weights are few a call multiplies a row of 6 points of 4 tiles and transforms the 24 sums along the
// row where they are, in registers: stores cost as much as products. Where they are many a call multiplies
// one point of 16 tiles, so that weights are read once (docs/performance.md).

namespace octavo {
namespace {

OCTAVO_INLINE __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
OCTAVO_INLINE __m512i minus(__m512i a, __m512i b) { return _mm512_sub_epi32(a, b); }
template <int power>
OCTAVO_INLINE __m512i times_power(__m512i a) {
  return _mm512_slli_epi32(a, power);
}

/// 6 points to 4 results times 24, or 4 of a small tile, points 0, 1, 2 and 5, to 2.
OCTAVO_INLINE void results(const __m512i* m, __m512i* y) {
  const __m512i s1 = plus(m[1], m[2]), d1 = minus(m[1], m[2]);
  const __m512i s2 = plus(m[3], m[4]), d2 = minus(m[3], m[4]);
  y[0] = plus(plus(m[0], s1), s2);
  y[1] = plus(d1, times_power<1>(d2));
  y[2] = plus(s1, times_power<2>(s2));
  y[3] = plus(d1, times_power<1>(plus(times_power<2>(d2), m[5])));
}
OCTAVO_INLINE void small_results(__m512i m0, __m512i m1, __m512i m2, __m512i m5, __m512i* y) {
  y[0] = plus(times_power<2>(m0), plus(m1, m2));
  y[1] = plus(minus(m1, m2), times_power<1>(m5));
}

// ---- Products ----

/// sum + the products of 2 s16 and 2 s16 in each of 16 lanes. Why not the intrinsic: vnni.h.
OCTAVO_INLINE __m512i with_pairs(__m512i sum, __m512i x, __m512i weights) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
  return sum;
}

constexpr std::int64_t kPair = kTileInputs * kWinogradPanel * 2;  // weights of a pair of channels
constexpr std::int64_t kTileSums = kTileResults * kWinogradPanel;

/// Some tiles at a row of points.
struct Products {
  const std::int16_t* inputs;  ///< the first tile's
  std::int64_t group_stride;   ///< numbers from group to group
  const std::int16_t* weights;
  std::int64_t pairs;
  const std::int32_t* start;  ///< what sums of point 1 of the row begin with, by channel
  std::int32_t* sums;
  const std::uint8_t* ahead;  ///< L2 is asked for lines from here on with each pair; nullptr: for none
};

/// Calls step(x, weights) for each pair of channels, x its numbers of the first tile at its first point, and
/// asks L2 for `lines` lines with it.
template <int lines, int channels, class Step>
OCTAVO_INLINE void for_each_pair(const Products& p, const Step& step) {
  const std::int16_t* weights = p.weights;
  const std::int16_t* group = p.inputs;
  const std::uint8_t* ahead = p.ahead;
  for (std::int64_t left = p.pairs; left > 0; left -= channels / 2, group += p.group_stride) {
    const std::int64_t pairs = left < channels / 2 ? left : channels / 2;
    const auto* x = reinterpret_cast<const std::uint8_t*>(group);
    for (const std::uint8_t* const end = x + 4 * pairs; x < end; x += 4, weights += kPair) {
#pragma GCC unroll 2
      for (int line = 0; line < lines; ++line, ahead += kLineBytes) _mm_prefetch(ahead, _MM_HINT_T1);
      step(x, weights);
    }
  }
}

/// All points of a row.
constexpr int kLinesOfRow = 2;
template <int tiles, bool are_small, int channels, bool asks>
void multiply_row(const Products& p) {
  constexpr int kPoints = are_small ? 4 : kTileInputs;
  const auto at = [](std::int64_t j) { return are_small && j == 3 ? 5 : j; };
  __m512i sum[tiles][kPoints];
#pragma GCC unroll 4
  for (int t = 0; t < tiles; ++t) {
#pragma GCC unroll 6
    for (int j = 0; j < kPoints; ++j)
      sum[t][j] = j == 1 ? _mm512_loadu_si512(p.start) : _mm512_setzero_si512();
  }
  for_each_pair<asks ? kLinesOfRow : 0, channels>(
      p, [&](const std::uint8_t* x, const std::int16_t* weights) __attribute__((always_inline)) {
        __m512i w[kPoints];
#pragma GCC unroll 6
        for (int j = 0; j < kPoints; ++j) w[j] = _mm512_loadu_si512(weights + 2 * kWinogradPanel * at(j));
#pragma GCC unroll 4
        for (int t = 0; t < tiles; ++t) {
#pragma GCC unroll 6
          for (int j = 0; j < kPoints; ++j) {
            const __m512i pair = broadcast4(x + 2 * channels * (kTileInputs * t + at(j)));
            sum[t][j] = with_pairs(sum[t][j], pair, w[j]);
          }
        }
      });
#pragma GCC unroll 4
  for (std::int64_t t = 0; t < tiles; ++t) {
    __m512i y[kTileResults];
    if constexpr (are_small) {
      small_results(sum[t][0], sum[t][1], sum[t][2], sum[t][3], y);
    } else {
      results(sum[t], y);
    }
#pragma GCC unroll 4
    for (std::int64_t j = 0; j < (are_small ? 2 : kTileResults); ++j)
      _mm512_storeu_si512(p.sums + t * kTileSums + j * kWinogradPanel, y[j]);
  }
}

/// One point of a row; sums are stored as they are, each tile's `kTileInputs` vectors apart.
constexpr int kLinesOfPoint = 1;
template <int tiles, bool asks>
void multiply_point(const Products& p) {
  __m512i sum[tiles];
#pragma GCC unroll 16
  for (int t = 0; t < tiles; ++t) sum[t] = _mm512_loadu_si512(p.start);
  for_each_pair<asks ? kLinesOfPoint : 0, 32>(
      p, [&](const std::uint8_t* x, const std::int16_t* weights) __attribute__((always_inline)) {
        const __m512i w = _mm512_loadu_si512(weights);
#pragma GCC unroll 16
        for (int t = 0; t < tiles; ++t)
          sum[t] = with_pairs(sum[t], broadcast4(x + std::int64_t{64} * kTileInputs * t), w);
      });
#pragma GCC unroll 16
  for (std::int64_t t = 0; t < tiles; ++t)
    _mm512_storeu_si512(p.sums + t * kTileInputs * kWinogradPanel, sum[t]);
}

alignas(64) constexpr std::int32_t kZeros[kWinogradPanel] = {};
using Multiply = void (*)(const Products&);
/// By tiles less one, and whether L2 is asked.
template <bool are_small, int channels>
constexpr Multiply kMultiplyRow[][2] = {
    {multiply_row<1, are_small, channels, false>, multiply_row<1, are_small, channels, true>},
    {multiply_row<2, are_small, channels, false>, multiply_row<2, are_small, channels, true>},
    {multiply_row<3, are_small, channels, false>, multiply_row<3, are_small, channels, true>},
    {multiply_row<4, are_small, channels, false>, multiply_row<4, are_small, channels, true>}};
constexpr int kMostAtPoint = 16;
template <int... less_one>
constexpr auto point_table(std::integer_sequence<int, less_one...>) {
  struct Table {
    Multiply by_tiles[kMostAtPoint][2];
  };
  return Table{{{multiply_point<less_one + 1, false>, multiply_point<less_one + 1, true>}...}};
}
constexpr auto kMultiplyPoint = point_table(std::make_integer_sequence<int, kMostAtPoint>());

/// What L2 is asked for while a panel is multiplied: the weights of the next row of points, or, during the
/// last panel, those of the next step.
class Ahead {
 public:
  Ahead(const WinogradBlock& b, bool is_last_panel) : asks_(b.asks_for_weights && !is_last_panel) {
    if (is_last_panel) set(b.next, b.next_bytes);
  }
  void begin_row(const std::int16_t* next_weights, std::int64_t bytes) {
    if (asks_) set(reinterpret_cast<const std::uint8_t*>(next_weights), bytes);
  }
  /// Where the next call is to begin, which asks for `bytes`; nullptr where all was asked for.
  const std::uint8_t* take(std::int64_t bytes) {
    const std::uint8_t* const from = left_ > 0 ? at_ : nullptr;
    at_ += bytes, left_ -= bytes;
    return from;
  }

 private:
  void set(const std::uint8_t* at, std::int64_t bytes) { at_ = at, left_ = bytes; }

  bool asks_;
  const std::uint8_t* at_ = nullptr;
  std::int64_t left_ = 0;
};

/// One row of the points of a panel, and the tiles that have it.
struct PointRow {
  const std::int16_t* inputs;
  const std::int16_t* weights;
  std::int64_t pairs, group_channels, tiles, large_tiles;
  const std::int32_t* start;  ///< of point 1
  std::int32_t* sums;
  Ahead& ahead;

  /// Tiles from `first` to `end` in calls of `most` at the most, each of which asks for `lines` a pair.
  template <int most, int lines, class Call>
  OCTAVO_INLINE void in_calls(std::int64_t first, std::int64_t end, const Call& call) const {
    const std::int64_t calls = (end - first + most - 1) / most;
    if (calls == 0) return;
    const std::int64_t tile = kTileInputs * group_channels, each = (end - first) / calls;
    std::int64_t larger = (end - first) % calls;  // calls that take one more
    for (std::int64_t from = first; from < end; --larger) {
      const std::int64_t count = each + (larger > 0 ? 1 : 0);
      call(from, count,
           Products{inputs + from * tile, tiles * tile, weights, pairs, start, nullptr,
                    ahead.take(pairs * lines * kLineBytes)});
      from += count;
    }
  }

  template <bool are_small>
  OCTAVO_INLINE void multiply_by_rows(std::int64_t first, std::int64_t end) const {
    in_calls<4, kLinesOfRow>(first, end, [&](std::int64_t from, std::int64_t count, Products p) {
      p.sums = sums + from * kTileSums;
      const auto& by_tiles = group_channels == 16 ? kMultiplyRow<are_small, 16> : kMultiplyRow<are_small, 32>;
      by_tiles[count - 1][p.ahead != nullptr](p);
    });
  }

  /// `points`: scratch, [tile][6][16].
  void multiply_by_points(std::int32_t* points) const {
    for (int j = 0; j < kTileInputs; ++j) {
      in_calls<kMostAtPoint, kLinesOfPoint>(0, has_small_point(j) ? tiles : large_tiles,
                                            [&](std::int64_t from, std::int64_t count, Products p) {
                                              p.inputs += j * group_channels;
                                              p.weights += j * kWinogradPanel * 2;
                                              if (j != 1) p.start = kZeros;
                                              p.sums = points + (from * kTileInputs + j) * kWinogradPanel;
                                              kMultiplyPoint.by_tiles[count - 1][p.ahead != nullptr](p);
                                            });
    }
    for (std::int64_t tile = 0; tile < tiles; ++tile) {
      __m512i m[kTileInputs], y[kTileResults] = {};
#pragma GCC unroll 6
      for (std::int64_t j = 0; j < kTileInputs; ++j)
        m[j] = _mm512_loadu_si512(points + (tile * kTileInputs + j) * kWinogradPanel);
      tile < large_tiles ? results(m, y) : small_results(m[0], m[1], m[2], m[5], y);
#pragma GCC unroll 4
      for (std::int64_t j = 0; j < kTileResults; ++j)
        _mm512_storeu_si512(sums + tile * kTileSums + j * kWinogradPanel, y[j]);
    }
  }
};

/// Weights of a row of points that stay in L1 while all tiles are multiplied, four at a time; where there are
/// more, those of a point are walked once for all tiles.
constexpr std::int64_t kRowBytes = std::int64_t{24} * 1024;

/// `start`: 576 times what each channel's sums begin with. The same number at all places of a tile is that
/// number at point 1 of both directions.
void multiply_panel(const WinogradBlock& b, const std::int16_t* weights, const std::int32_t* start,
                    bool is_last) {
  const std::int64_t pairs = (b.ic + 1) / 2;
  Ahead ahead(b, is_last);
  for (int i = 0; i < kTileInputs; ++i, weights += pairs * kPair) {
    const std::int64_t before = tiles_before(b, i), rows = rows_with(b, i);
    ahead.begin_row(weights + pairs * kPair, 2 * pairs * kPair);
    const PointRow row{b.inputs + before * groups_of(b) * kTileInputs * b.group_channels,
                       weights,
                       pairs,
                       b.group_channels,
                       rows * b.columns,
                       rows * b.large_columns,
                       i == 1 ? start : kZeros,
                       b.sums + before * kTileSums,
                       ahead};
    if (2 * pairs * kPair > kRowBytes) {
      row.multiply_by_points(b.points);
    } else {
      row.multiply_by_rows<false>(0, row.large_tiles);
      row.multiply_by_rows<true>(row.large_tiles, row.tiles);
    }
  }
}

// ---- Results ----

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
void finish_row(const WinogradBlock& b, const TileRow& row, std::int64_t channel, const Numbers& n,
                const OutputRule& rule) {
  const std::int64_t large = b.large_columns < b.columns ? b.large_columns * kTileResults : b.ow;
  Places to{row.dst + channel, row.residual + channel, b.ow * b.dst_stride, b.ow * b.residual_stride};
  const auto finish = [&](std::int64_t first_tile, std::int64_t columns) {
    const std::int32_t* from[kTileInputs];
    for (int i = 0; i < kTileInputs; ++i)
      from[i] = b.sums + (tiles_before(b, i) + tile_at(b, row, i, first_tile)) * kTileSums;
    finish_columns<form, is_scaled, is_whole, rows>(from, columns, to, b, n, rule);
    to.dst += columns * b.dst_stride, to.residual += columns * b.residual_stride;
  };
  finish(0, large);
  finish(b.large_columns, b.ow - large);
}

template <OutputForm form, bool is_scaled, bool is_whole>
void finish_rows_of(const WinogradBlock& b, std::int64_t channel, const Numbers& n, const OutputRule& rule) {
  for (std::int64_t i = 0; i < b.row_count; ++i) {
    const TileRow& row = b.rows[i];
    switch (row.results) {
      case 1:
        finish_row<form, is_scaled, is_whole, 1>(b, row, channel, n, rule);
        break;
      case 2:
        finish_row<form, is_scaled, is_whole, 2>(b, row, channel, n, rule);
        break;
      case 3:
        finish_row<form, is_scaled, is_whole, 3>(b, row, channel, n, rule);
        break;
      default:
        finish_row<form, is_scaled, is_whole, 4>(b, row, channel, n, rule);
    }
  }
}

FastRule rule_from(FastRule rule, std::int64_t channel) {
  rule.exact.start += channel, rule.exact.bias += channel, rule.exact.multiplier += channel;
  rule.start += channel, rule.addend += channel;
  return rule;
}

template <OutputForm form, bool is_scaled>
void take_panels_by(const WinogradBlock& b) {
  const std::int64_t panel_weights = kTilePoints * ((b.ic + 1) / 2) * 32;
  for (std::int64_t panel = 0; panel < b.panels; ++panel) {
    const std::int64_t channel = panel * kWinogradPanel, channels = b.channels - channel;
    const FastRule rule = rule_from(b.rule, channel);
    multiply_panel(b, b.weights + panel * panel_weights, is_scaled ? rule.start : kZeros,
                   panel + 1 == b.panels);
    const Numbers n(rule, channels);
    channels >= kWinogradPanel ? finish_rows_of<form, is_scaled, true>(b, channel, n, rule.exact)
                               : finish_rows_of<form, is_scaled, false>(b, channel, n, rule.exact);
  }
}

template <OutputForm form>
void take_panels(const WinogradBlock& b) {
  if constexpr (kIsFast<form>) {
    if (b.is_scaled) return take_panels_by<form, true>(b);
  }
  take_panels_by<form, false>(b);
}

}  // namespace

void winograd_panels_avx512_vnni(const WinogradBlock& block) {
  switch (block.form) {
    case OutputForm::stored:
      return take_panels<OutputForm::stored>(block);
    case OutputForm::residual:
      return take_panels<OutputForm::residual>(block);
    case OutputForm::stored_shifted:
      return take_panels<OutputForm::stored_shifted>(block);
    case OutputForm::stored_plain:
      return take_panels<OutputForm::stored_plain>(block);
    case OutputForm::residual_plain:
      return take_panels<OutputForm::residual_plain>(block);
    case OutputForm::stored_bare:
      return take_panels<OutputForm::stored_bare>(block);
    case OutputForm::residual_bare:
      return take_panels<OutputForm::residual_bare>(block);
    case OutputForm::exact:
      return take_panels<OutputForm::exact>(block);
    case OutputForm::exact_residual:
      return take_panels<OutputForm::exact_residual>(block);
    case OutputForm::real:
      return;  // of linear layers only
  }
}

}  // namespace octavo
