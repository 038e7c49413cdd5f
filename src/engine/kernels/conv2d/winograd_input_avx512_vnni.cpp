#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/winograd_block.h"

// The transforms of inputs and weights: docs/numerics.md, "Winograd". 16-bit numbers throughout.

namespace octavo {
namespace {

#define OCTAVO_INLINE inline __attribute__((always_inline))

OCTAVO_INLINE __m512i load(const void* from) { return _mm512_loadu_si512(from); }
OCTAVO_INLINE void store(void* to, __m512i v) { _mm512_storeu_si512(to, v); }
OCTAVO_INLINE __m512i add(__m512i a, __m512i b) { return _mm512_add_epi16(a, b); }
OCTAVO_INLINE __m512i subtract(__m512i a, __m512i b) { return _mm512_sub_epi16(a, b); }
OCTAVO_INLINE __m512i twice(__m512i a) { return _mm512_slli_epi16(a, 1); }
OCTAVO_INLINE __m512i four_times(__m512i a) { return _mm512_slli_epi16(a, 2); }

/// 6 inputs to 6 points, or 4 to 4 of a small tile, whose points 3 and 4 are left as they are.
template <bool is_small>
OCTAVO_INLINE void input_points(const __m512i* d, __m512i* points) {
  if constexpr (is_small) {
    points[0] = subtract(d[0], d[2]);
    points[1] = add(d[1], d[2]);
    points[2] = subtract(d[2], d[1]);
    points[5] = subtract(d[3], d[1]);
  } else {
    const __m512i a = subtract(four_times(d[2]), d[4]), b = subtract(four_times(d[1]), d[3]);
    const __m512i c = subtract(d[4], d[2]), e = twice(subtract(d[3], d[1]));
    points[0] = subtract(subtract(four_times(d[0]), d[2]), a);
    points[1] = add(a, b);
    points[2] = subtract(a, b);
    points[3] = add(c, e);
    points[4] = subtract(c, e);
    points[5] = subtract(add(b, d[5]), four_times(d[3]));
  }
}

/// The columns of a row of tiles, 32 channels from `channel` on, to their points.
template <bool is_small>
void transform_columns(const WinogradBlock& b, const TileRow& row, std::int64_t channel) {
  const std::int64_t left = b.ic - channel;
  const __mmask32 there = left >= kTileChannels ? 0xFFFFFFFFU : (1U << left) - 1U;
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(b.flip));
  const std::int64_t columns = kTileResults * b.columns + 2;
  std::int16_t* to = b.input_columns;
  const auto transform = [&](const std::uint8_t* const* from) __attribute__((always_inline)) {
    __m512i d[kTileInputs], points[kTileInputs];
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      const __m256i stored = _mm256_maskz_loadu_epi8(there, from[i]);
      d[i] = _mm512_maskz_cvtepu8_epi16(there, _mm256_xor_si256(stored, flip));
    }
    input_points<is_small>(d, points);
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      if (!is_small || has_small_point(i)) store(to + i * columns * kTileChannels, points[i]);
    }
    to += kTileChannels;
  };
  const std::uint8_t* border[kTileInputs];
  const std::uint8_t* from[kTileInputs];
  std::int64_t step[kTileInputs];
  for (int i = 0; i < kTileInputs; ++i) {
    border[i] = b.zeros + channel;
    from[i] = row.inputs[i] != nullptr ? row.inputs[i] + channel : border[i];
    step[i] = row.inputs[i] != nullptr ? b.ic : 0;
  }
  const std::int64_t begin = b.padding < columns ? b.padding : columns;
  const std::int64_t end = begin + b.iw < columns ? begin + b.iw : columns;
  std::int64_t column = 0;
  for (; column < begin; ++column) transform(border);
  for (; column < end; ++column) {
    transform(from);
    for (int i = 0; i < kTileInputs; ++i) from[i] += step[i];
  }
  for (; column < columns; ++column) transform(border);
}

/// One row of a tile's points from the same row of its columns.
template <bool is_small>
OCTAVO_INLINE void transform_tile(const std::int16_t* from, std::int16_t* to) {
  __m512i d[kTileInputs], points[kTileInputs];
#pragma GCC unroll 6
  for (int j = 0; j < (is_small ? 4 : kTileInputs); ++j) d[j] = load(from + j * kTileChannels);
  input_points<is_small>(d, points);
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) {
    if (!is_small || has_small_point(j)) store(to + j * kTileChannels, points[j]);
  }
}

/// A row of tiles, channels of group `group`.
void transform_row(const WinogradBlock& b, const TileRow& row, std::int64_t group) {
  constexpr std::int64_t kTile = kTileInputs * kTileChannels;
  const bool is_small_row = is_small(row.results);
  is_small_row ? transform_columns<true>(b, row, group * kTileChannels)
               : transform_columns<false>(b, row, group * kTileChannels);
  const std::int64_t groups = (b.ic + kTileChannels - 1) / kTileChannels;
  for (int i = 0; i < kTileInputs; ++i) {
    if (is_small_row && !has_small_point(i)) continue;
    std::int16_t* const tiles =
        b.inputs + (tiles_before(b, i) * groups + rows_with(b, i) * b.columns * group) * kTile;
    const std::int16_t* from = b.input_columns + i * (kTileResults * b.columns + 2) * kTileChannels;
    std::int16_t* to = tiles + tile_at(b, row, i, 0) * kTile;
    for (std::int64_t column = 0; column < b.large_columns; ++column) {
      transform_tile<false>(from, to);
      from += kTileResults * kTileChannels, to += kTile;
    }
    if (b.large_columns < b.columns)
      transform_tile<true>(from, tiles + tile_at(b, row, i, b.large_columns) * kTile);
  }
}

/// 3 weights, `stride` apart, to 6 points times 24.
OCTAVO_INLINE void weight_points(const __m512i* g, std::int64_t stride, __m512i* points) {
  const __m512i g0 = g[0], g1 = g[stride], g2 = g[2 * stride];
  const __m512i ends = add(g0, g2), far = add(g0, four_times(g2));
  points[0] = twice(add(g0, twice(g0)));
  points[1] = four_times(add(ends, g1));
  points[2] = four_times(subtract(ends, g1));
  points[3] = add(far, twice(g1));
  points[4] = subtract(far, twice(g1));
  points[5] = four_times(add(g2, twice(g2)));
}

}  // namespace

void winograd_input_avx512_vnni(const WinogradBlock& b) {
  const std::int64_t groups = (b.ic + kTileChannels - 1) / kTileChannels;
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int64_t row = 0; row < b.row_count; ++row) transform_row(b, b.rows[row], group);
  }
}

void winograd_weights_avx512_vnni(const std::int16_t* taps, std::int64_t pairs, std::int16_t* points) {
  constexpr std::int64_t kPair = kWinogradPanel * 2;
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    __m512i g[9], down[3][kTileInputs];
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; ++tap) g[tap] = load(taps + (tap * pairs + pair) * kPair);
#pragma GCC unroll 3
    for (int column = 0; column < 3; ++column) weight_points(g + column, 3, down[column]);
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      __m512i row[kTileInputs];
      weight_points(down[0] + i, kTileInputs, row);
#pragma GCC unroll 6
      for (int j = 0; j < kTileInputs; ++j)
        store(points + ((i * pairs + pair) * kTileInputs + j) * kPair, row[j]);
    }
  }
}

}  // namespace octavo
