#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/output_rule.h"

namespace octavo {

// What the driver of the Winograd kernels (winograd.cpp) hands to the file that is compiled for one ISA.
// Plain pointers only.

// A tile is 6 x 6 inputs that give 4 x 4 results by 6 x 6 products a pair of channels; docs/numerics.md has
// the three transforms, in whole numbers. A last row or column of 1 or 2 results takes small tiles, which
// lack the points 3 and 4 of the 6: 4 inputs give 2 results by 4 products.
inline constexpr int kTileInputs = 6;
inline constexpr int kTileResults = 4;
inline constexpr int kTilePoints = kTileInputs * kTileInputs;
static constexpr bool is_small_point(int index) { return index != 3 && index != 4; }

/// Channels of an input that are transformed together, and of a panel of results.
inline constexpr std::int64_t kTileChannels = 32;

/// A row of tiles.
struct TileRow {
  const std::uint8_t* inputs[kTileInputs];  ///< column 0 of each row of the image; nullptr: not in the image
  std::uint8_t* dst;                        ///< channel 0 of the first result
  const std::uint8_t* residual;             ///< the same of what is added to it
  std::int64_t results;                     ///< rows of them that there are
  std::int64_t place;                       ///< among the block's rows
  std::int64_t large_place;                 ///< among those whose tiles are not small
};

/// Tiles of some rows, of one image or several.
struct WinogradBlock {
  const TileRow* rows;
  std::int64_t row_count;
  std::int64_t columns;       ///< tiles of a row
  std::int64_t last_results;  ///< columns of results of the last one
  // By point: tiles that have it, and those of all points before it.
  std::int64_t tiles[kTilePoints], first[kTilePoints];

  std::int64_t ic, iw;
  std::int64_t padding;       ///< columns left of the image
  std::uint8_t flip;          ///< makes a stored input u8
  const std::uint8_t* zeros;  ///< `ic` stored zero points
  std::int16_t* columns_of;   ///< scratch of transform_input: [point of a column][4 * columns + 2][32]
  /// Transformed inputs, a point after the other: [group of 32 channels][tile][32], lacking channels zero.
  std::int16_t* inputs;
  std::int32_t* sums;  ///< of a panel, a point after the other: [tile][32]

  /// [panel][point][pair of input channels][channel of the panel, or of a narrow one][2]
  const std::int16_t* weights;
  std::int64_t panels;
  std::int64_t channels;    ///< results' that there are in them
  std::int64_t dst_stride;  ///< bytes from pixel to pixel
  std::int64_t dst_row;     ///< bytes from row to row
  std::int64_t residual_stride, residual_row;
  /// Weights that the next step reads: L2 is asked for its first `next_bytes` while the last panel is
  /// multiplied.
  const std::uint8_t* next;
  std::int64_t next_bytes;
  OutputForm form;
  FastRule rule;  ///< arrays begin at the first panel
};

/// Fills block.inputs.
void winograd_input_avx512_vnni(const WinogradBlock& block);
/// All panels' results from block.inputs.
void winograd_panels_avx512_vnni(const WinogradBlock& block);
/// Transforms a panel's weights [tap][pair of input channels][channel][2] to [point][pair][channel][2].
/// `channels`: 16 or 32.
void winograd_weights_avx512_vnni(const std::int16_t* taps, std::int64_t pairs, std::int64_t channels,
                                  std::int16_t* points);

}  // namespace octavo
