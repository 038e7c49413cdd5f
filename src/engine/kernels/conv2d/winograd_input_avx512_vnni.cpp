#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/inline.h"

// The transforms of inputs and weights: docs/numerics.md, "Winograd". 16-bit numbers throughout.

namespace octavo {
namespace {

OCTAVO_INLINE __m512i load(const void* from) { return _mm512_loadu_si512(from); }
OCTAVO_INLINE void store(void* to, __m512i v) { _mm512_storeu_si512(to, v); }
OCTAVO_INLINE __m256i load_half(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}
OCTAVO_INLINE void store_half(void* to, __m256i v) { _mm256_storeu_si256(static_cast<__m256i*>(to), v); }
OCTAVO_INLINE __m512i add(__m512i a, __m512i b) { return _mm512_add_epi16(a, b); }
OCTAVO_INLINE __m512i subtract(__m512i a, __m512i b) { return _mm512_sub_epi16(a, b); }
OCTAVO_INLINE __m512i twice(__m512i a) { return _mm512_slli_epi16(a, 1); }
OCTAVO_INLINE __m512i four_times(__m512i a) { return _mm512_slli_epi16(a, 2); }

/// 6 inputs to 6 points, or 4 to 4 of a small tile, whose points 3 and 4 are left as they are.
template <bool small>
OCTAVO_INLINE void input_points(const __m512i* d, __m512i* points) {
  if constexpr (small) {
    points[0] = subtract(d[0], d[2]);
    const __m512i s = add(d[1], d[2]), e = subtract(d[2], d[1]);
    points[1] = add(s, twice(s));
    points[2] = add(e, twice(e));
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

// A vector holds 32 channels, or 16 channels twice: of two neighbouring columns, then of two neighbouring
// tiles.

/// `count` columns of `channels` channels each, `at` bytes behind `from`, to their points. `to`: the first of
/// them in the first row of points, `row` numbers from the next row.
template <bool small, std::int64_t channels, std::int64_t count>
OCTAVO_INLINE void transform_columns(const std::uint8_t* const* from, std::int64_t at, __mmask32 there,
                                     __m256i flip, std::int16_t* to, std::int64_t row) {
  __m512i d[kTileInputs], points[kTileInputs];
#pragma GCC unroll 6
  for (int i = 0; i < kTileInputs; ++i) {
    const __m256i stored = _mm256_maskz_loadu_epi8(there, from[i] + at);
    d[i] = _mm512_maskz_cvtepu8_epi16(there, _mm256_xor_si256(stored, flip));
  }
  input_points<small>(d, points);
#pragma GCC unroll 6
  for (int i = 0; i < kTileInputs; ++i) {
    if (small && !has_small_point(i)) continue;
    if constexpr (channels * count == 32) {
      store(to + i * row, points[i]);
    } else {
      store_half(to + i * row, _mm512_castsi512_si256(points[i]));
    }
  }
}

/// The columns of a row of tiles, channels of group `group`, to their points.
template <bool small, std::int64_t channels>
void transform_all_columns(const WinogradBlock& b, const TileRow& row, std::int64_t group) {
  constexpr std::int64_t kAtOnce = 32 / channels;
  const std::int64_t channel = group * channels, left = b.ic - channel;
  const __mmask32 one = left >= 32 ? 0xFFFFFFFFU : (1U << left) - 1U;
  const __mmask32 all = kAtOnce == 2 ? 0xFFFFFFFFU : one;
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(b.flip));
  const std::uint8_t *border[kTileInputs], *from[kTileInputs];
  for (int i = 0; i < kTileInputs; ++i) {
    border[i] = b.zeros + channel;
    from[i] = row.inputs[i] + channel;
  }
  const std::int64_t columns = kTileResults * b.columns + 2;
  const std::int64_t begin = b.padding < columns ? b.padding : columns;
  const std::int64_t end = begin + b.iw < columns ? begin + b.iw : columns;
  std::int16_t* to = b.input_columns;
  const auto transform = [&]<std::int64_t count>(const std::uint8_t* const* rows, std::int64_t at,
                                                 __mmask32 there) __attribute__((always_inline)) {
    transform_columns<small, channels, count>(rows, at, there, flip, to, columns * channels);
    to += count * channels;
  };
  std::int64_t column = 0, at = 0;
  for (; column < begin; ++column) transform.template operator()<1>(border, 0, one);
  for (; column + kAtOnce <= end; column += kAtOnce, at += kAtOnce * b.ic)
    transform.template operator()<kAtOnce>(from, at, all);
  if (column < end) transform.template operator()<1>(from, at, one), ++column;
  for (; column < columns; ++column) transform.template operator()<1>(border, 0, one);
}

/// One row of the points of `count` tiles from the same row of their columns.
template <bool small, std::int64_t channels, std::int64_t count>
OCTAVO_INLINE void transform_tiles(const std::int16_t* from, std::int16_t* to) {
  __m512i d[kTileInputs], points[kTileInputs];
#pragma GCC unroll 6
  for (int j = 0; j < (small ? 4 : kTileInputs); ++j) {
    const std::int16_t* const first = from + j * channels;
    if constexpr (channels == 32) {
      d[j] = load(first);
    } else {
      d[j] = _mm512_castsi256_si512(load_half(first));
      if constexpr (count == 2)
        d[j] = _mm512_inserti64x4(d[j], load_half(first + kTileResults * channels), 1);
    }
  }
  input_points<small>(d, points);
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) {
    if (small && !has_small_point(j)) continue;
    if constexpr (channels == 32) {
      store(to + j * channels, points[j]);
    } else {
      store_half(to + j * channels, _mm512_castsi512_si256(points[j]));
      if constexpr (count == 2)
        store_half(to + (kTileInputs + j) * channels, _mm512_extracti64x4_epi64(points[j], 1));
    }
  }
}

/// A row of tiles, channels of group `group`.
template <std::int64_t channels>
void transform_row(const WinogradBlock& b, const TileRow& row, std::int64_t group) {
  constexpr std::int64_t kTile = kTileInputs * channels, kAtOnce = 32 / channels;
  const bool is_small_row = is_small(row.results);
  is_small_row ? transform_all_columns<true, channels>(b, row, group)
               : transform_all_columns<false, channels>(b, row, group);
  for (int i = 0; i < kTileInputs; ++i) {
    if (is_small_row && !has_small_point(i)) continue;
    std::int16_t* const tiles =
        b.inputs + (tiles_before(b, i) * groups_of(b) + rows_with(b, i) * b.columns * group) * kTile;
    const std::int16_t* from = b.input_columns + i * (kTileResults * b.columns + 2) * channels;
    std::int16_t* to = tiles + tile_at(b, row, i, 0) * kTile;
    std::int64_t column = 0;
    for (; column + kAtOnce <= b.large_columns; column += kAtOnce) {
      transform_tiles<false, channels, kAtOnce>(from, to);
      from += kAtOnce * kTileResults * channels, to += kAtOnce * kTile;
    }
    if (column < b.large_columns) {
      transform_tiles<false, channels, 1>(from, to);
      from += kTileResults * channels;
    }
    if (b.large_columns < b.columns)
      transform_tiles<true, channels, 1>(from, tiles + tile_at(b, row, i, b.large_columns) * kTile);
  }
}

template <std::int64_t channels>
void transform_rows(const WinogradBlock& b) {
  for (std::int64_t group = 0; group < groups_of(b); ++group) {
    for (std::int64_t row = 0; row < b.row_count; ++row) transform_row<channels>(b, b.rows[row], group);
  }
}

/// 3 weights to 6 points times 24.
OCTAVO_INLINE void weight_points(__m512i g0, __m512i g1, __m512i g2, __m512i* points) {
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
  b.group_channels == 16 ? transform_rows<16>(b) : transform_rows<32>(b);
}

void winograd_weights_avx512_vnni(const std::int16_t* taps, std::int64_t pairs, std::int16_t* rows) {
  constexpr std::int64_t kTap = kWinogradPanel * 2;  // numbers of a pair of channels
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
#pragma GCC unroll 3
    for (int column = 0; column < kWinogradWindow; ++column) {
      const auto tap = [&](std::int64_t row) {
        return load(taps + ((row * kWinogradWindow + column) * pairs + pair) * kTap);
      };
      __m512i points[kTileInputs];
      weight_points(tap(0), tap(1), tap(2), points);
#pragma GCC unroll 6
      for (int i = 0; i < kTileInputs; ++i) {
        store(rows + ((i * pairs + pair) * kWinogradWindow + column) * kTap,
              _mm512_slli_epi16(points[i], static_cast<unsigned>(column)));
      }
    }
  }
}

}  // namespace octavo
