#pragma once
#include <cstdint>

namespace octavo {

// Pointer-level pooling of windows of 8-bit pixels, channels last; included by ISA files.

/// `rows` x `columns` pixels of `channels` values; neighbours are `row_step` and `column_step` values apart.
/// `flip`: 0x80 where values and results are s8, which are u8 but for this bit; else 0.
struct WindowU8 {
  const std::uint8_t* x;
  std::int64_t rows, columns, row_step, column_step, channels;
  std::uint8_t flip;
};

/// How sums of u8 become averages: rint(f32(sum + offset) * factor), or divided by `factor` when `divide` is
/// not 0; then clamped between lowest and highest, plus zero_point, which is a u8.
struct AverageU8 {
  std::int32_t offset;
  float factor;
  std::int32_t divide;
  float lowest, highest;
  std::int32_t zero_point;
};

/// average_of_window_ort: (u8 - x_zero_point) * x_scale is summed in the order of the rows; the sum / count /
/// y_scale + y_zero_point is rounded and clamped between lowest and highest, which are values of y.
struct AverageReals {
  float x_scale;
  std::int32_t x_zero_point;
  float count, y_scale, y_zero_point, lowest, highest;
};

/// Windows of one size beside each other: from window to window `x_step` values, from result to result
/// `y_step`.
struct WindowRun {
  std::int64_t count, x_step, y_step;
};

using MaxWindows = void (*)(const WindowU8& first, const WindowRun& run, std::uint8_t* y);
using AverageWindow = void (*)(const WindowU8& window, const AverageU8& average, std::uint8_t* y);
using AverageRealsOfWindow = void (*)(const WindowU8& window, const AverageReals& average, std::uint8_t* y);

/// y[c] = the largest of the window's values; the least there is when there are none.
void max_windows_avx2(const WindowU8& first, const WindowRun& run, std::uint8_t* y);
void max_windows_avx512(const WindowU8& first, const WindowRun& run, std::uint8_t* y);
void average_window_avx2(const WindowU8& window, const AverageU8& average, std::uint8_t* y);
void average_window_avx512(const WindowU8& window, const AverageU8& average, std::uint8_t* y);
void average_reals_of_window_avx2(const WindowU8& window, const AverageReals& average, std::uint8_t* y);
void average_reals_of_window_avx512(const WindowU8& window, const AverageReals& average, std::uint8_t* y);

}  // namespace octavo
