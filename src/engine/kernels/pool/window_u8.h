#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level pooling of one window of u8 pixels, channels last; included by ISA files.

/// `rows` x `columns` pixels of `channels` values; neighbours are `row_step` and `column_step` values apart.
struct WindowU8 {
  const std::uint8_t* x;
  std::int64_t rows, columns, row_step, column_step, channels;
};

/// How sums become averages: rint(f32(sum + offset) * factor), or divided by `factor` when `divide` is not 0;
/// then clamped between lowest and highest, plus zero_point.
struct AverageU8 {
  std::int32_t offset;
  float factor;
  std::int32_t divide;
  float lowest, highest;
  std::int32_t zero_point;
};

using MaxWindow = void (*)(const WindowU8& window, std::uint8_t* y);
using AverageWindow = void (*)(const WindowU8& window, const AverageU8& average, std::uint8_t* y);

/// y[c] = the largest of the window's values; 0 when there are none.
void max_window_avx2(const WindowU8& window, std::uint8_t* y);
void max_window_avx512(const WindowU8& window, std::uint8_t* y);
void average_window_avx2(const WindowU8& window, const AverageU8& average, std::uint8_t* y);
void average_window_avx512(const WindowU8& window, const AverageU8& average, std::uint8_t* y);

}  // namespace octavo
