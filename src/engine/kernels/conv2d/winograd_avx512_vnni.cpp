#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/finish_rows.h"
#include "engine/kernels/conv2d/winograd_block.h"
#include "engine/kernels/vnni.h"

namespace octavo {
namespace {

OCTAVO_INLINE __m512i load(const void* from) { return _mm512_loadu_si512(from); }
OCTAVO_INLINE void store(void* to, __m512i v) { _mm512_storeu_si512(to, v); }

// 16-bit lanes: inputs and weights.
OCTAVO_INLINE __m512i add(__m512i a, __m512i b) { return _mm512_add_epi16(a, b); }
OCTAVO_INLINE __m512i subtract(__m512i a, __m512i b) { return _mm512_sub_epi16(a, b); }
template <int power>
OCTAVO_INLINE __m512i shifted(__m512i a) {
  return _mm512_slli_epi16(a, power);
}

/// B^T d of a tile: 6 inputs to 6 points.
OCTAVO_INLINE void input_points(const __m512i* d, __m512i* points) {
  const __m512i a = subtract(shifted<2>(d[2]), d[4]), b = subtract(shifted<2>(d[1]), d[3]);
  const __m512i c = subtract(d[4], d[2]), half_e = subtract(d[3], d[1]), e = add(half_e, half_e);
  points[0] = subtract(subtract(shifted<2>(d[0]), d[2]), a);
  points[1] = add(a, b);
  points[2] = subtract(a, b);
  points[3] = add(c, e);
  points[4] = subtract(c, e);
  points[5] = subtract(add(b, d[5]), shifted<2>(d[3]));
}
/// Of a small tile: 4 inputs to 4 points; points 3 and 4 are left as they are.
OCTAVO_INLINE void small_input_points(const __m512i* d, __m512i* points) {
  points[0] = subtract(d[0], d[2]);
  points[1] = add(d[1], d[2]);
  points[2] = subtract(d[2], d[1]);
  points[5] = subtract(d[3], d[1]);
}

/// 24 G g: 3 weights to 6 points.
OCTAVO_INLINE void weight_points(const __m512i* g, std::int64_t stride, __m512i* points,
                                 std::int64_t points_stride) {
  const __m512i g0 = g[0], g1 = g[stride], g2 = g[2 * stride];
  const __m512i ends = add(g0, g2), far = add(g0, shifted<2>(g2)), twice = add(g1, g1);
  points[0] = shifted<1>(add(g0, add(g0, g0)));
  points[points_stride] = shifted<2>(add(ends, g1));
  points[2 * points_stride] = shifted<2>(subtract(ends, g1));
  points[3 * points_stride] = add(far, twice);
  points[4 * points_stride] = subtract(far, twice);
  points[5 * points_stride] = shifted<2>(add(g2, add(g2, g2)));
}

// 32-bit lanes: sums of products.
OCTAVO_INLINE __m512i plus(__m512i a, __m512i b) { return _mm512_add_epi32(a, b); }
OCTAVO_INLINE __m512i minus(__m512i a, __m512i b) { return _mm512_sub_epi32(a, b); }
template <int power>
OCTAVO_INLINE __m512i times_power(__m512i a) {
  return _mm512_slli_epi32(a, power);
}

/// 24 A^T m of a tile: 6 points to 4 results.
OCTAVO_INLINE void results(const __m512i* m, __m512i* y) {
  const __m512i s1 = plus(m[1], m[2]), d1 = minus(m[1], m[2]);
  const __m512i s2 = plus(m[3], m[4]), d2 = minus(m[3], m[4]);
  y[0] = plus(plus(m[0], s1), s2);
  y[1] = plus(d1, plus(d2, d2));
  y[2] = plus(s1, times_power<2>(s2));
  y[3] = plus(d1, times_power<1>(plus(times_power<2>(d2), m[5])));
}
/// The same of a small tile: to 2 results.
OCTAVO_INLINE void small_results(const __m512i* m, __m512i* y) {
  const __m512i s = plus(m[1], m[2]), d = minus(m[1], m[2]);
  y[0] = minus(times_power<2>(plus(m[0], s)), s);
  y[1] = plus(d, times_power<1>(plus(d, m[5])));
}

/// Tiles of each row of a block, or of each but the small last one.
OCTAVO_INLINE std::int64_t tiles_of_row(const WinogradBlock& b, int column_point) {
  return b.columns - (b.last_results <= 2 && !is_small_point(column_point) ? 1 : 0);
}
/// Which tile of a point is that at `column` of `row`.
OCTAVO_INLINE std::int64_t tile_at(const WinogradBlock& b, const TileRow& row, int point,
                                   std::int64_t column) {
  const bool all_rows = is_small_point(point / kTileInputs);
  return (all_rows ? row.place : row.large_place) * tiles_of_row(b, point % kTileInputs) + column;
}

// ---- Inputs ----

/// The columns of a row of tiles, 32 channels from `channel` on, to their points.
template <bool is_small>
void transform_columns(const WinogradBlock& b, const TileRow& row, std::int64_t channel) {
  const std::int64_t left = b.ic - channel;
  const __mmask32 there = left >= kTileChannels ? 0xFFFFFFFFU : (1U << left) - 1U;
  const __m256i flip = _mm256_set1_epi8(static_cast<char>(b.flip));
  const std::int64_t columns = kTileResults * b.columns + 2;
  const auto transform = [&](const std::uint8_t* const* from, std::int64_t column)
      __attribute__((always_inline)) {
    __m512i d[kTileInputs], points[kTileInputs];
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      const __m256i stored = _mm256_maskz_loadu_epi8(there, from[i]);
      d[i] = _mm512_maskz_cvtepu8_epi16(there, _mm256_xor_si256(stored, flip));
    }
    is_small ? small_input_points(d, points) : input_points(d, points);
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      if (!is_small || is_small_point(i))
        store(b.columns_of + (i * columns + column) * kTileChannels, points[i]);
    }
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
  for (; column < begin; ++column) transform(border, column);
  for (; column < end; ++column) {
    transform(from, column);
    for (int i = 0; i < kTileInputs; ++i) from[i] += step[i];
  }
  for (; column < columns; ++column) transform(border, column);
}

/// The tiles of a row at one point of their columns, 32 channels of group `group`.
template <bool is_small>
OCTAVO_INLINE void transform_tile(const WinogradBlock& b, const TileRow& row, int column_point,
                                  std::int64_t column, std::int64_t group, const std::int16_t* from) {
  __m512i d[kTileInputs], points[kTileInputs];
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) d[j] = load(from + (kTileResults * column + j) * kTileChannels);
  is_small ? small_input_points(d, points) : input_points(d, points);
#pragma GCC unroll 6
  for (int j = 0; j < kTileInputs; ++j) {
    if (is_small && !is_small_point(j)) continue;
    const int point = column_point * kTileInputs + j;
    const std::int64_t groups = (b.ic + kTileChannels - 1) / kTileChannels;
    const std::int64_t tile =
        b.first[point] * groups + b.tiles[point] * group + tile_at(b, row, point, column);
    store(b.inputs + tile * kTileChannels, points[j]);
  }
}

void transform_row(const WinogradBlock& b, const TileRow& row, std::int64_t group) {
  const bool is_small = row.results <= 2;
  is_small ? transform_columns<true>(b, row, group * kTileChannels)
           : transform_columns<false>(b, row, group * kTileChannels);
  const std::int64_t columns = kTileResults * b.columns + 2;
  const std::int64_t large = b.columns - (b.last_results <= 2 ? 1 : 0);
  for (int i = 0; i < kTileInputs; ++i) {
    if (is_small && !is_small_point(i)) continue;
    const std::int16_t* const from = b.columns_of + i * columns * kTileChannels;
    for (std::int64_t column = 0; column < large; ++column)
      transform_tile<false>(b, row, i, column, group, from);
    if (large < b.columns) transform_tile<true>(b, row, i, large, group, from);
  }
}

// ---- Products ----

/// sum + the products of 2 s16 and 2 s16 in each of 16 lanes. Why not the intrinsic: vnni.h.
OCTAVO_INLINE __m512i with_pairs(__m512i sum, __m512i x, __m512i weights) {
  asm("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
  return sum;
}

/// What a point's products are made of.
struct Products {
  const std::int16_t* inputs;  ///< the first tile's
  std::int64_t group_stride;   ///< numbers from group to group
  const std::int16_t* weights;
  std::int64_t pairs;
  std::int32_t* sums;
};

/// Sums of `tiles` tiles at one point, two vectors of channels, or one. `ahead`: L2 is asked for two lines
/// with each pair of channels, `ahead_each` bytes apart.
template <int tiles, int width>
void multiply(const Products& p, const std::uint8_t* ahead, std::int64_t ahead_each) {
  __m512i sum[tiles][width];
#pragma GCC unroll 14
  for (int t = 0; t < tiles; ++t) {
    for (int v = 0; v < width; ++v) sum[t][v] = _mm512_setzero_si512();
  }
  const std::int16_t* weights = p.weights;
  const std::int16_t* group = p.inputs;
  for (std::int64_t left = p.pairs; left > 0; left -= kTileChannels / 2, group += p.group_stride) {
    const std::int64_t pairs = left < kTileChannels / 2 ? left : kTileChannels / 2;
    const auto* x = reinterpret_cast<const std::uint8_t*>(group);
    for (const std::uint8_t* const end = x + 4 * pairs; x < end;
         x += 4, weights += std::int64_t{32} * width) {
      const __m512i low = load(weights);
      const __m512i high = width == 2 ? load(weights + 32) : low;
      _mm_prefetch(ahead, _MM_HINT_T1);
      _mm_prefetch(ahead + ahead_each, _MM_HINT_T1);
      ahead += 2 * ahead_each;
#pragma GCC unroll 14
      for (int t = 0; t < tiles; ++t) {
        const __m512i pair = broadcast4(x + std::int64_t{2} * kTileChannels * t);
        sum[t][0] = with_pairs(sum[t][0], pair, low);
        if constexpr (width == 2) sum[t][1] = with_pairs(sum[t][1], pair, high);
      }
    }
  }
#pragma GCC unroll 14
  for (std::int64_t t = 0; t < tiles; ++t) {
    for (std::int64_t v = 0; v < width; ++v) store(p.sums + 32 * t + 16 * v, sum[t][v]);
  }
}

template <int width>
void multiply_some(std::int64_t tiles, const Products& p, const std::uint8_t* ahead,
                   std::int64_t ahead_each) {
  switch (tiles) {
    case 1:
      return multiply<1, width>(p, ahead, ahead_each);
    case 2:
      return multiply<2, width>(p, ahead, ahead_each);
    case 3:
      return multiply<3, width>(p, ahead, ahead_each);
    case 4:
      return multiply<4, width>(p, ahead, ahead_each);
    case 5:
      return multiply<5, width>(p, ahead, ahead_each);
    case 6:
      return multiply<6, width>(p, ahead, ahead_each);
    case 7:
      return multiply<7, width>(p, ahead, ahead_each);
    case 8:
      return multiply<8, width>(p, ahead, ahead_each);
    case 9:
      return multiply<9, width>(p, ahead, ahead_each);
    case 10:
      return multiply<10, width>(p, ahead, ahead_each);
    case 11:
      return multiply<11, width>(p, ahead, ahead_each);
    case 12:
      return multiply<12, width>(p, ahead, ahead_each);
    case 13:
      return multiply<13, width>(p, ahead, ahead_each);
    default:
      return multiply<14, width>(p, ahead, ahead_each);
  }
}

/// All points of a panel.
template <int width>
void multiply_panel(const WinogradBlock& b, const std::int16_t* weights, bool is_last) {
  constexpr std::int64_t kMost = 14, kLine = 64;
  const std::int64_t pairs = (b.ic + 1) / 2, groups = (b.ic + kTileChannels - 1) / kTileChannels;
  const std::int64_t slab = pairs * 32 * width;
  const std::uint8_t* next = b.next;
  std::int64_t next_left = is_last ? b.next_bytes : 0;
  for (int point = 0; point < kTilePoints; ++point, weights += slab) {
    const std::int64_t tiles = b.tiles[point];
    const std::int64_t calls = (tiles + kMost - 1) / kMost;
    for (std::int64_t i = 0; i < calls; ++i) {
      const std::int64_t first = tiles * i / calls, end = tiles * (i + 1) / calls;
      const Products p{b.inputs + (b.first[point] * groups + first) * kTileChannels, tiles * kTileChannels,
                       weights, pairs, b.sums + (b.first[point] + first) * 32};
      const auto* ahead = reinterpret_cast<const std::uint8_t*>(weights + slab);
      std::int64_t each = i == 0 && !(is_last && point + 1 == kTilePoints) ? kLine : 0;
      if (each == 0 && next_left > 0) {
        ahead = next, each = kLine;
        next += 2 * kLine * pairs, next_left -= 2 * kLine * pairs;
      }
      multiply_some<width>(end - first, p, ahead, each);
    }
  }
}

// ---- Results ----

/// What is left of 576 times a sum, in 32 bits, is 64 times the sum after a multiplication by 1/9 of 2^32.
OCTAVO_INLINE __m512i sum_of(__m512i times_576) {
  constexpr int kNinth = 0x38E38E39;
  return _mm512_srai_epi32(_mm512_mullo_epi32(times_576, _mm512_set1_epi32(kNinth)), 6);
}

/// The sums of a tile, [row][column][32].
template <bool few_rows, bool few_columns>
OCTAVO_INLINE void tile_sums(const WinogradBlock& b, const TileRow& row, std::int64_t column,
                             std::int32_t* to) {
  constexpr int kRows = few_rows ? 2 : 4, kColumns = few_columns ? 2 : 4;
  for (int half = 0; half < 32; half += 16) {
    __m512i across[kTileInputs][kTileResults];
#pragma GCC unroll 6
    for (int i = 0; i < kTileInputs; ++i) {
      if (few_rows && !is_small_point(i)) continue;
      __m512i m[kTileInputs];
#pragma GCC unroll 6
      for (int j = 0; j < kTileInputs; ++j) {
        if (few_columns && !is_small_point(j)) continue;
        const int point = i * kTileInputs + j;
        m[j] = load(b.sums + (b.first[point] + tile_at(b, row, point, column)) * 32 + half);
      }
      few_columns ? small_results(m, across[i]) : results(m, across[i]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < kColumns; ++j) {
      __m512i m[kTileInputs], y[kTileResults];
#pragma GCC unroll 6
      for (int i = 0; i < kTileInputs; ++i) {
        if (!few_rows || is_small_point(i)) m[i] = across[i][j];
      }
      few_rows ? small_results(m, y) : results(m, y);
#pragma GCC unroll 4
      for (std::int64_t i = 0; i < kRows; ++i) store(to + (i * kTileResults + j) * 32 + half, sum_of(y[i]));
    }
  }
}

template <OutputForm form>
void finish_tile(const WinogradBlock& b, const TileRow& row, std::int64_t column, std::int64_t results_across,
                 const std::int32_t* sums, const PanelNumbers& n) {
  const std::int64_t first = column * kTileResults;
  for (std::int64_t i = 0; i < row.results; ++i) {
    std::uint8_t* dst[kTileResults];
    const std::uint8_t* residual[kTileResults];
    for (std::int64_t j = 0; j < kTileResults; ++j) {
      dst[j] = row.dst + i * b.dst_row + (first + j) * b.dst_stride;
      residual[j] = row.residual + i * b.residual_row + (first + j) * b.residual_stride;
    }
    const std::int32_t* const from = sums + i * kTileResults * 32;
    if (results_across == kTileResults) {
      finish_rows<form, 4>(from, dst, residual, n, b.rule.exact);
    } else {
      for (std::int64_t j = 0; j < results_across; ++j)
        finish_rows<form, 1>(from + j * 32, dst + j, residual + j, n, b.rule.exact);
    }
  }
}

template <OutputForm form>
void finish_panel(const WinogradBlock& b, std::int64_t panel) {
  const PanelNumbers n = numbers_of(b.rule, panel * kPanelChannels, b.channels);
  alignas(64) std::int32_t sums[kTileResults * kTileResults * 32];
  for (std::int64_t r = 0; r < b.row_count; ++r) {
    const TileRow& row = b.rows[r];
    for (std::int64_t column = 0; column < b.columns; ++column) {
      const std::int64_t across = column + 1 == b.columns ? b.last_results : kTileResults;
      if (row.results > 2) {
        across > 2 ? tile_sums<false, false>(b, row, column, sums)
                   : tile_sums<false, true>(b, row, column, sums);
      } else {
        across > 2 ? tile_sums<true, false>(b, row, column, sums)
                   : tile_sums<true, true>(b, row, column, sums);
      }
      finish_tile<form>(b, row, column, across, sums, n);
    }
  }
}

template <OutputForm form>
void take_panels(const WinogradBlock& b) {
  const std::int64_t panel_weights = kTilePoints * ((b.ic + 1) / 2) * 64;
  for (std::int64_t panel = 0; panel < b.panels; ++panel) {
    const std::int16_t* const weights = b.weights + panel * panel_weights;
    const bool is_last = panel + 1 == b.panels;
    b.channels - panel* kPanelChannels <= 16 ? multiply_panel<1>(b, weights, is_last)
                                             : multiply_panel<2>(b, weights, is_last);
    finish_panel<form>(b, panel);
  }
}

}  // namespace

void winograd_input_avx512_vnni(const WinogradBlock& b) {
  const std::int64_t groups = (b.ic + kTileChannels - 1) / kTileChannels;
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int64_t row = 0; row < b.row_count; ++row) transform_row(b, b.rows[row], group);
  }
}

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

void winograd_weights_avx512_vnni(const std::int16_t* taps, std::int64_t pairs, std::int64_t channels,
                                  std::int16_t* points) {
  const std::int64_t row = pairs * channels * 2;  // numbers of a tap, and of a point
  for (std::int64_t at = 0; at < row; at += 32) {
    __m512i g[9], down[18], all[kTilePoints];
#pragma GCC unroll 9
    for (int tap = 0; tap < 9; ++tap) g[tap] = load(taps + tap * row + at);
#pragma GCC unroll 3
    for (int column = 0; column < 3; ++column) weight_points(g + column, 3, down + column, 3);
#pragma GCC unroll 6
    for (std::int64_t i = 0; i < kTileInputs; ++i) weight_points(down + 3 * i, 1, all + kTileInputs * i, 1);
#pragma GCC unroll 36
    for (int point = 0; point < kTilePoints; ++point) store(points + point * row + at, all[point]);
  }
}

}  // namespace octavo
