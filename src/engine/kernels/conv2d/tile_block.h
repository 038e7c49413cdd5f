#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/kernels/caches.h"
#include "engine/kernels/conv2d/output_rule.h"

namespace octavo {

// What the driver of the tile kernels (tile.cpp) hands to the files that are compiled for AMX, or for its
// emulation. Plain pointers only.

inline constexpr int kTileRows = 16;       ///< most rows of a tile: output pixels
inline constexpr int kTilePanel = 32;      ///< output channels of a panel: two tiles of 16 sums
inline constexpr int kTileStepBytes = 64;  ///< of every pixel's window that one step multiplies
/// Packed weights of one step of a panel: [tile 0, 1][16 groups of 4 bytes][16 channels][4].
inline constexpr std::int64_t kTileStepWeights = std::int64_t{kTileStepBytes} * kTilePanel;
/// Sums of a block of 32 pixels x 32 channels.
inline constexpr std::int64_t kTileBlockSums = std::int64_t{2} * kTileRows * kTilePanel;
/// s32 scratch for sums: of the block that is requantized and of the one after it.
inline constexpr std::int64_t kTileSums = 2 * kTileBlockSums;

/// A band of output pixels in tiles of equally many rows, times panels of output channels.
struct TileWork {
  const std::uint8_t* const* tiles;  ///< where the window of each tile's first pixel begins
  std::int64_t tile_count;           ///< even
  int rows;                          ///< of every tile, 1..16
  std::int64_t row_stride;           ///< bytes from a pixel's window to the next one's
  const std::int64_t* steps;         ///< bytes from a window's beginning to each 64 bytes that are multiplied
  std::int64_t step_count;
  const std::uint8_t* weights;  ///< [panel][step][kTileStepWeights]
  std::int64_t panels;
  std::int64_t group;   ///< panels whose weights are used together: 1 = all pixels of a panel first
  int streams_weights;  ///< weights are read past L1
  /// What comes from afar once, weights or pixels: each step asks L2 for so many lines of it (0 = none),
  /// which later steps multiply.
  const std::uint8_t* ahead;
  const std::uint8_t* ahead_end;
  int lines_ahead;
  const std::uint8_t* next;  ///< what a step after this one needs: lines that L2 is asked for
  std::int64_t next_lines;
  int next_lines_each;    ///< by each step
  std::int64_t channels;  ///< of all panels that there are
  /// [tile][16]: where each pixel's results go, channel 0 of the first panel. Rows without a pixel have
  /// memory as large as a pixel's results in all panels.
  std::uint8_t* const* dst;
  const std::uint8_t* const* residual;  ///< the same for the residual
  /// Results and residuals of the next two tiles are asked for ahead: for results that do not take their
  /// residual's place, and so come from behind L2 more often.
  int fetches_rows;
  std::int32_t* sums;  ///< kTileSums of scratch, 64-byte aligned
  OutputForm form;
  FastRule rule;  ///< arrays begin at the first panel
};

void multiply_tiles_amx_int8(const TileWork& work);

}  // namespace octavo
