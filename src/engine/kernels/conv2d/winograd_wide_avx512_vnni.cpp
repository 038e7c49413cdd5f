#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/caches.h"
#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/conv2d/winograd_sums.h"
#include "engine/kernels/conv2d/winograd_weights.h"
#include "engine/kernels/vnni.h"

// For the CPUs of direct_wide_avx512_vnni.cpp: a call multiplies one point of 6 tiles by 64 channels, whose
// weights are all transformed beforehand, since that takes the products' ports here.

namespace octavo {
namespace {

constexpr int kMostTiles = 6;
constexpr int kVectors = 4;  // of 16 channels
static_assert(kWideWinogradPanel == kVectors * kWinogradPanel);
constexpr std::int64_t kPairWeights = kWideWinogradPanel * 2;
constexpr std::int64_t kPointSums = kWideWinogradPanel;
constexpr std::int64_t kGroupPairs = 16;
constexpr std::int64_t kTileBytes = kTileInputs * kGroupPairs * 4;  // of a group of input channels
constexpr int kLinesAsked = 2;

/// Some tiles at one point.
struct Products {
  const std::uint8_t* inputs;  ///< the first tile's
  std::int64_t group_bytes;    ///< from group to group
  const std::int16_t* weights;
  std::int64_t pairs;
  const std::int32_t* start;  ///< by channel; nullptr: zeros
  std::int32_t* sums;         ///< the first tile's
  const std::uint8_t* ahead;  ///< L2 is asked for lines from here on with each pair; nullptr: for none
};

template <int tiles, bool asks>
void multiply_point(const Products& p) {
  __m512i sum[tiles * kVectors];
#pragma GCC unroll 24
  for (std::int64_t i = 0; i < std::int64_t{tiles} * kVectors; ++i) {
    sum[i] = p.start != nullptr ? _mm512_loadu_si512(p.start + 16 * (i % kVectors)) : _mm512_setzero_si512();
  }
  const std::int16_t* weights = p.weights;
  const std::uint8_t* ahead = p.ahead;
  const auto step = [&](const std::uint8_t* x) __attribute__((always_inline)) {
    __m512i w[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) w[i] = _mm512_loadu_si512(weights + kColumn * i);
    weights += kPairWeights;
    if constexpr (asks) {
#pragma GCC unroll 2
      for (int line = 0; line < kLinesAsked; ++line, ahead += kLineBytes) _mm_prefetch(ahead, _MM_HINT_T1);
    }
#pragma GCC unroll 6
    for (int t = 0; t < tiles; ++t) {
      const __m512i pair = broadcast4(x + kTileBytes * t);
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i)
        sum[t * kVectors + i] = with_pairs(sum[t * kVectors + i], pair, w[i]);
    }
  };
  const std::uint8_t* group = p.inputs;
  for (std::int64_t left = p.pairs; left > 0; left -= kGroupPairs, group += p.group_bytes) {
    const std::uint8_t* x = group;
    const std::uint8_t* const end = x + 4 * (left < kGroupPairs ? left : kGroupPairs);
    for (; x + 4 < end; x += 8) step(x), step(x + 4);
    if (x < end) step(x);
  }
#pragma GCC unroll 6
  for (std::int64_t t = 0; t < tiles; ++t) {
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < kVectors; ++i)
      _mm512_storeu_si512(p.sums + t * kTileInputs * kPointSums + 16 * i, sum[t * kVectors + i]);
  }
}

using Multiply = void (*)(const Products&);
/// By tiles less one, and whether L2 is asked.
constexpr Multiply kMultiply[kMostTiles][2] = {
    {multiply_point<1, false>, multiply_point<1, true>}, {multiply_point<2, false>, multiply_point<2, true>},
    {multiply_point<3, false>, multiply_point<3, true>}, {multiply_point<4, false>, multiply_point<4, true>},
    {multiply_point<5, false>, multiply_point<5, true>}, {multiply_point<6, false>, multiply_point<6, true>}};

/// All tiles of a point, in calls of about as many. `ahead`: `lines` that L2 is asked for meanwhile.
void multiply_tiles(Products p, std::int64_t tiles, const std::uint8_t* ahead, std::int64_t lines) {
  const std::int64_t calls = (tiles + kMostTiles - 1) / kMostTiles;
  for (std::int64_t i = 0; i < calls; ++i) {
    const std::int64_t count = tiles * (i + 1) / calls - tiles * i / calls;
    p.ahead = lines > 0 ? ahead : nullptr;
    kMultiply[count - 1][p.ahead != nullptr](p);
    if (lines > 0) ahead += p.pairs * kLinesAsked * kLineBytes, lines -= p.pairs * kLinesAsked;
    p.inputs += count * kTileBytes;
    p.sums += count * kTileInputs * kPointSums;
  }
}

/// Transforms the points of a row of each tile to sums of the 4 panels, the first one's at `sums`.
void transform_row(const WinogradBlock& b, std::int64_t tiles, std::int64_t large_tiles, std::int32_t* sums) {
  for (std::int64_t tile = 0; tile < tiles; ++tile, sums += kTileSums) {
    const std::int32_t* const points = b.points + tile * kTileInputs * kPointSums;
    for (std::int64_t i = 0; i < kVectors; ++i)
      transform_points(points + kWinogradPanel * i, kPointSums, tile < large_tiles, sums + i * b.panel_sums);
  }
}

}  // namespace

void winograd_multiply_wide_avx512_vnni(const WinogradBlock& b, const WinogradPanel& panel) {
  const std::int64_t pairs = pairs_of(b), point_weights = pairs * kPairWeights;
  const std::int16_t* weights = panel.weights;
  for (int i = 0; i < kTileInputs; ++i) {
    const std::int64_t before = tiles_before(b, i), rows = rows_with(b, i);
    const std::int64_t tiles = rows * b.columns, large_tiles = rows * b.large_columns;
    const auto* const inputs =
        reinterpret_cast<const std::uint8_t*>(b.inputs) + before * groups_of(b) * kTileBytes;
    for (int j = 0; j < kTileInputs; ++j, weights += point_weights) {
      Products p{};
      p.inputs = inputs + j * kGroupPairs * 4;
      p.group_bytes = tiles * kTileBytes;
      p.weights = weights;
      p.pairs = pairs;
      // The same number at all places of a tile is that number at point 1 of both directions.
      p.start = i == 1 && j == 1 && panel.is_scaled ? panel.rule.start : nullptr;
      p.sums = b.points + j * kPointSums;
      const bool is_last = i + 1 == kTileInputs && j + 1 == kTileInputs;
      const auto* const next_point = reinterpret_cast<const std::uint8_t*>(weights + point_weights);
      const std::int64_t bytes = is_last ? panel.next_bytes : panel.asks_for_weights ? 2 * point_weights : 0;
      multiply_tiles(p, has_small_point(j) ? tiles : large_tiles, is_last ? panel.next : next_point,
                     bytes / kLineBytes);
    }
    transform_row(b, tiles, large_tiles, b.sums + before * kTileSums);
  }
}

void winograd_wide_weights_avx512_vnni(const std::int16_t* rows, std::int64_t pairs, std::int16_t* points) {
  for (std::int64_t i = 0; i < kTileInputs; ++i, rows += pairs * kPair) {
    const auto store_point = [&]<int j>(std::integral_constant<int, j>) {
      std::int16_t* const to = points + (i * kTileInputs + j) * pairs * kPairWeights;
      for (std::int64_t pair = 0; pair < pairs; ++pair)
        _mm512_storeu_si512(to + pair * kPairWeights, weights_at<j>(rows + pair * kPair));
    };
    [&]<int... j>(std::integer_sequence<int, j...>) { (store_point(std::integral_constant<int, j>()), ...); }
    (std::make_integer_sequence<int, kTileInputs>());
  }
}

}  // namespace octavo
