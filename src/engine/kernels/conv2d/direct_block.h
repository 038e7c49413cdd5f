#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/output_rule.h"

namespace octavo {

// What the driver of the direct kernels (direct.cpp, depthwise.cpp) hands to the files that are compiled for
// one ISA each. Plain pointers only.

/// Input of a window that lies side by side.
struct WindowRun {
  std::int64_t at;     ///< bytes from the window's beginning
  std::int64_t steps;  ///< of 4 bytes
};

/// Bytes that PanelBlock::ahead_each is a multiple of.
inline constexpr std::int64_t kAheadUnit = 4;

/// One panel of output channels for a number of output pixels.
struct PanelBlock {
  const std::uint8_t* const* windows;  ///< where in the input each pixel's window begins
  std::int64_t pixels;
  const WindowRun* runs;
  std::int64_t steps;           ///< of all runs
  const std::uint8_t* weights;  ///< [step][channel of the panel, or of a narrow one][4 bytes]
  /// Weights of the next panel, or of the next step, that L2 is asked for: by each of the first
  /// `ahead_groups` groups of as many pixels as the kernel takes at once, in each of its steps `ahead_each`
  /// bytes, whole units up to a line; the order is the kernel's. Fewer pixels, and on AVX-512 panels that are
  /// not whole, ask for nothing.
  const std::uint8_t* ahead;
  std::int64_t ahead_groups, ahead_each;
  std::int64_t channels;    ///< of the panel that there are
  std::uint8_t* dst;        ///< the panel's first channel of the first pixel
  std::int64_t dst_stride;  ///< bytes from pixel to pixel
  const std::uint8_t* residual;
  std::int64_t residual_stride;
  OutputForm form;  ///< for kernels that know the fast forms
  FastRule rule;    ///< arrays begin at the panel
};

/// What every call of a depthwise kernel has: all channels and where their results go. In `weights` and
/// `rule` the channels of a block stand in the order in which interleaving taps leaves them: depthwise.cpp's
/// lane_order.
struct DepthwiseChannels {
  const std::uint8_t* weights;  ///< [block of channels][group of taps][channel][4 bytes]
  std::int64_t channels;
  std::uint8_t* dst;
  std::int64_t dst_stride;  ///< from pixel to pixel, through all rows
  OutputForm form;
  FastRule rule;
};

/// A run of output pixels of a depthwise convolution.
struct DepthwiseBlock : DepthwiseChannels {
  const std::uint8_t* const* windows;
  std::int64_t pixels;
  std::int64_t columns;       ///< of a window that are walked one by one; 1 = all taps are one column's
  std::int64_t column_bytes;  ///< from one to the next
  const std::int64_t* taps;   ///< of one column: bytes from its beginning
  std::int64_t tap_groups;    ///< taps of a column come in groups of 4 (bytes) or 2 (widened), the last one
                              ///< filled up with zero weights
};

/// Rows of output pixels of a depthwise convolution with windows of 3 x 3 or 5 x 5, whose columns
/// neighbouring pixels share. A column is the 64 bytes of a block of channels at one column of the input;
/// what lies beyond the input reads as zero points. Where 32 or 16 channels are left over, their block is
/// those of 2 or 4 rows of pixels, one behind the other: weights and rule repeat there (depthwise_tail).
struct DepthwiseRows : DepthwiseChannels {
  std::int64_t size;                 ///< of a window: 3 or 5
  std::int64_t count;                ///< rows of output pixels
  const std::uint8_t* const* rows;   ///< [count][size]: where column 0 of each input row lies
  const std::uint8_t* const* zeros;  ///< [4 * size] columns of zero points
  std::int64_t first_column;         ///< of the first pixel's window
  std::int64_t columns;              ///< from 0 on, that the rows have
  std::int64_t column_bytes;         ///< from one to the next
  std::int64_t pixels;               ///< of a row
  std::int64_t stride;               ///< columns from pixel to pixel: 1 or 2
};

/// How many rows of pixels fill the last block of 64 when it has so many channels.
static constexpr std::int64_t depthwise_tail(std::int64_t channels) {
  return channels == 32 ? 2 : channels == 16 ? 4 : 1;
}

/// Groups of 4 weights of a channel that the kernel of rows reads. 3 x 3: the columns of the window. 5 x 5:
/// the first 4 rows of each column; columns 1 to 4 of the last row; its column 0, second of a group of zeros.
static constexpr std::int64_t depthwise_row_groups(std::int64_t size) { return size == 5 ? 7 : size; }

// AVX-512 VNNI: input u8, weights s8, panels of 32 channels, or 16 where they hold all; depthwise blocks of
// 64.
static constexpr std::int64_t kNarrowPanelChannels = 16;
void multiply_avx512_vnni(const PanelBlock& block);
/// The same by panels of 64 channels, all of them there.
static constexpr std::int64_t kWidePanelChannels = 64;
void multiply_wide_avx512_vnni(const PanelBlock& block);
void depthwise_avx512_vnni(const DepthwiseBlock& block);
void depthwise_rows_avx512_vnni(const DepthwiseRows& rows);

// AVX-VNNI: input u8, weights s8, panels of 16 channels, depthwise blocks of 32.
void multiply_avx_vnni(const PanelBlock& block);
void depthwise_avx_vnni(const DepthwiseBlock& block);

// AVX2: input and weights s16 without zero points, panels of 16 channels, depthwise blocks of 16.
void multiply_avx2(const PanelBlock& block);
void depthwise_avx2(const DepthwiseBlock& block);

}  // namespace octavo
