#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/output_rule.h"

namespace octavo {

// What the driver of the Winograd kernels (winograd.cpp) hands to the files that are compiled for one ISA.
// Plain pointers only.

// A tile is 6 x 6 inputs that give 4 x 4 results by 6 x 6 products a pair of channels; docs/numerics.md has
// the three transforms, in whole numbers. Where 1 or 2 results are left at the end of a row or a column, the
// last tile is small in that direction: it lacks points 3 and 4 of the 6, and 4 inputs give 2 results.
inline constexpr int kTileInputs = 6;
inline constexpr int kTileResults = 4;
inline constexpr int kTilePoints = kTileInputs * kTileInputs;
inline constexpr int kWinogradWindow = 3;
static constexpr bool is_small(std::int64_t results) { return results <= 2; }
static constexpr bool has_small_point(int index) { return index != 3 && index != 4; }

/// Results' channels of a panel.
inline constexpr std::int64_t kWinogradPanel = 16;
inline constexpr std::int64_t kWideWinogradPanel = 64;
/// Sums of a tile and row of points that WinogradBlock::sums has.
inline constexpr std::int64_t kTileSums = kTileResults * kWinogradPanel;

/// A row of tiles.
struct TileRow {
  const std::uint8_t* inputs[kTileInputs];  ///< column 0 of each row of the image, or zero points
  std::uint8_t* dst;                        ///< channel 0 of the first result
  const std::uint8_t* residual;             ///< the same of what is added to it
  std::int64_t results;                     ///< rows of them that there are
  std::int64_t place;                       ///< among the block's rows
  std::int64_t large_place;                 ///< among those that are not small
};

/// Tiles of some rows, of one image or several. Points come a row of 6 at a time; the tiles that have such a
/// row stand row by row, those of a small last column behind all others.
struct WinogradBlock {
  const TileRow* rows;
  std::int64_t row_count;
  std::int64_t large_rows;     ///< that are not small
  std::int64_t columns;        ///< tiles of a row
  std::int64_t large_columns;  ///< that are not small: all, or all but one

  std::int64_t ic, iw;
  std::int64_t group_channels;  ///< of the input, transformed together: 32, or 16 where those are all
  std::int64_t padding;         ///< columns left of the image
  std::uint8_t flip;            ///< makes a stored input u8
  const std::uint8_t* zeros;    ///< stored zero points of a column
  std::int16_t* input_columns;  ///< scratch: [row of points][4 * columns + 2][group_channels]
  /// Transformed: [row of points][group of channels][tile][6][group_channels], lacking channels zero.
  std::int16_t* inputs;
  /// Of a panel, transformed along the row: [row of points][tile][4][16].
  std::int32_t* sums;
  std::int32_t* points;     ///< scratch: [tile of a row of points][6][16], or of a wide panel [6][64]
  std::int64_t panel_sums;  ///< a wide panel's are those of 4 others: numbers from one's to the next one's

  std::int64_t dst_stride, residual_stride;  ///< bytes from pixel to pixel; 0 without a residual
  std::int64_t ow;
};

/// Pairs of input channels, and groups of them.
static constexpr std::int64_t pairs_of(const WinogradBlock& b) { return (b.ic + 1) / 2; }
static constexpr std::int64_t groups_of(const WinogradBlock& b) {
  return (b.ic + b.group_channels - 1) / b.group_channels;
}
/// Rows of tiles that have row `i` of the points.
static constexpr std::int64_t rows_with(const WinogradBlock& b, int i) {
  return has_small_point(i) ? b.row_count : b.large_rows;
}
/// Tiles of all rows of the points before row `i`.
static constexpr std::int64_t tiles_before(const WinogradBlock& b, int i) {
  const std::int64_t small_rows = b.row_count - b.large_rows;
  return b.columns * (i * b.row_count - (i > 3 ? small_rows : 0) - (i > 4 ? small_rows : 0));
}
/// Which of the tiles that have row `i` of the points is that at `column` of `row`.
static constexpr std::int64_t tile_at(const WinogradBlock& b, const TileRow& row, int i,
                                      std::int64_t column) {
  const std::int64_t place = has_small_point(i) ? row.place : row.large_place;
  return column < b.large_columns ? place * b.large_columns + column
                                  : rows_with(b, i) * b.large_columns + place;
}

/// Rows of points whose weights are asked for before their panel begins (of a wide one: the first point's):
/// memory answers unevenly (256 channels, cold: 324 to 318 us; 2 threads 180 to 173).
inline constexpr int kRowsAsked = 4;

/// Channels of results that go together.
struct WinogradPanel {
  /// Transformed down each column of the window, [row of points][pair of input channels][column][16][2]:
  /// column 1 twice that, column 2 four times. Along the row they are transformed as they are multiplied; a
  /// wide panel's are already: [row of points][6][pair of input channels][64][2].
  const std::int16_t* weights;
  std::int64_t channel;   ///< the first
  std::int64_t channels;  ///< that there are, at most 16; of a wide panel 64
  /// What L2 is asked for meanwhile: `next_bytes` from `next` on, before them with `asks_for_weights` the
  /// panel's last weights, those behind the first `kRowsAsked` rows of points. A wide panel asks during each
  /// point for the next one's.
  const std::uint8_t* next;
  std::int64_t next_bytes;
  bool asks_for_weights;
  OutputForm form;
  FastRule rule;  ///< arrays begin at the panel
  /// `rule` is one of the fast forms for 64 times a sum, and its `start` 576 times that of a sum. Sums then
  /// need neither a shift nor an addition.
  bool is_scaled;
};

/// Fills block.inputs.
void winograd_input_avx512_vnni(const WinogradBlock& block);
/// Fills block.sums from block.inputs.
void winograd_multiply_avx512_vnni(const WinogradBlock& block, const WinogradPanel& panel);
/// The same of a wide panel.
void winograd_multiply_wide_avx512_vnni(const WinogradBlock& block, const WinogradPanel& panel);
/// Stores the results of block.sums.
void winograd_finish_avx512_vnni(const WinogradBlock& block, const WinogradPanel& panel);
/// Transforms a panel's weights, [tap][pair of input channels][16][2], to WinogradPanel's.
void winograd_weights_avx512_vnni(const std::int16_t* taps, std::int64_t pairs, std::int16_t* rows);
/// Those of a panel on to the places of its channels in a wide one.
void winograd_wide_weights_avx512_vnni(const std::int16_t* rows, std::int64_t pairs, std::int16_t* points);

}  // namespace octavo
