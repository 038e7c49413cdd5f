#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/caches.h"
#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/conv2d/winograd_sums.h"
#include "engine/kernels/conv2d/winograd_weights.h"
#include "engine/kernels/inline.h"
#include "engine/kernels/vnni.h"

// Where weights are few a call multiplies a row of 6 points of 4 tiles and transforms the 24 sums along the
// row where they are, in registers: stores cost as much as products. Where they are many a call multiplies
// one point of 16 tiles, so that weights are read once (docs/performance.md).

namespace octavo {
namespace {

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

// Lines that a call asks L2 for with each pair of channels, about those of a row of points in all calls.
constexpr int kLinesOfRow = 2, kLinesOfPoint = 1;

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
        __m512i w[kPoints] = {weights_at<0>(weights), weights_at<1>(weights), weights_at<2>(weights)};
        if constexpr (!are_small) w[3] = weights_at<3>(weights), w[4] = weights_at<4>(weights);
        w[kPoints - 1] = weights_at<5>(weights);
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

/// Point `j` of a row; sums are stored as they are, each tile's `kTileInputs` vectors apart.
template <int j, int tiles, bool asks>
void multiply_point(const Products& p) {
  __m512i sum[tiles];
#pragma GCC unroll 16
  for (int t = 0; t < tiles; ++t) sum[t] = _mm512_loadu_si512(p.start);
  for_each_pair<asks ? kLinesOfPoint : 0, 32>(
      p, [&](const std::uint8_t* x, const std::int16_t* weights) __attribute__((always_inline)) {
        const __m512i w = weights_at<j>(weights);
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
struct ByTiles {
  Multiply calls[kMostAtPoint][2];
};
struct ByPoint {
  ByTiles points[kTileInputs];
};
template <int j, int... less_one>
constexpr ByTiles by_tiles(std::integer_sequence<int, less_one...>) {
  return {{{multiply_point<j, less_one + 1, false>, multiply_point<j, less_one + 1, true>}...}};
}
template <int... j>
constexpr ByPoint by_point(std::integer_sequence<int, j...>) {
  return {{by_tiles<j>(std::make_integer_sequence<int, kMostAtPoint>())...}};
}
constexpr ByPoint kMultiplyPoint = by_point(std::make_integer_sequence<int, kTileInputs>());

/// What L2 is asked for while a panel is multiplied.
class Ahead {
 public:
  explicit Ahead(const WinogradPanel& panel) : panel_(panel) {
    if (!panel.asks_for_weights) begin(panel.next, panel.next_bytes);
  }
  /// To row `i` of the points, whose weights are `bytes` from `weights` on.
  void begin_row(int i, const std::int16_t* weights, std::int64_t bytes) {
    if (!panel_.asks_for_weights) return;
    if (i + kRowsAsked < kTileInputs) {
      begin(reinterpret_cast<const std::uint8_t*>(weights) + kRowsAsked * bytes, bytes);
    } else if (i + kRowsAsked == kTileInputs) {
      begin(panel_.next, panel_.next_bytes);
    }
  }
  /// Where the next call is to begin, which asks for `bytes`; nullptr where all was asked for.
  const std::uint8_t* take(std::int64_t bytes) {
    if (left_ <= 0) return nullptr;
    const std::uint8_t* const from = at_;
    at_ += bytes, left_ -= bytes;
    return from;
  }

 private:
  void begin(const std::uint8_t* at, std::int64_t bytes) { at_ = at, left_ = bytes; }

  const WinogradPanel& panel_;
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
      const auto call = [&](std::int64_t from, std::int64_t count, Products p) {
        p.inputs += j * group_channels;
        if (j != 1) p.start = kZeros;
        p.sums = points + (from * kTileInputs + j) * kWinogradPanel;
        kMultiplyPoint.points[j].calls[count - 1][p.ahead != nullptr](p);
      };
      in_calls<kMostAtPoint, kLinesOfPoint>(0, has_small_point(j) ? tiles : large_tiles, call);
    }
    for (std::int64_t tile = 0; tile < tiles; ++tile)
      transform_points(points + tile * kTileInputs * kWinogradPanel, kWinogradPanel, tile < large_tiles,
                       sums + tile * kTileSums);
  }
};

/// Weights of a row of points that stay in L1 while all tiles are multiplied, four at a time; where there are
/// more, those of a point are walked once for all tiles.
constexpr std::int64_t kRowBytes = std::int64_t{16} * 1024;

}  // namespace

void winograd_multiply_avx512_vnni(const WinogradBlock& b, const WinogradPanel& panel) {
  const std::int64_t pairs = pairs_of(b);
  const std::int16_t* weights = panel.weights;
  Ahead ahead(panel);
  for (int i = 0; i < kTileInputs; ++i, weights += pairs * kPair) {
    const std::int64_t before = tiles_before(b, i), rows = rows_with(b, i);
    ahead.begin_row(i, weights, 2 * pairs * kPair);
    const PointRow row{
        b.inputs + before * groups_of(b) * kTileInputs * b.group_channels, weights, pairs, b.group_channels,
        rows * b.columns, rows * b.large_columns,
        // The same number at all places of a tile is that number at point 1 of both directions.
        i == 1 && panel.is_scaled ? panel.rule.start : kZeros, b.sums + before * kTileSums, ahead};
    if (2 * pairs * kPair > kRowBytes) {
      row.multiply_by_points(b.points);
    } else {
      row.multiply_by_rows<false>(0, row.large_tiles);
      row.multiply_by_rows<true>(row.large_tiles, row.tiles);
    }
  }
}

}  // namespace octavo
