#pragma once
#include <cstdint>

namespace octavo {

// What the driver of integer matrix products (panels.cpp) hands to the files that are compiled for one ISA
// each. Plain pointers only. a is u8 and b s8 there; the other sign comes by flipping the highest bit, and
// zero points move by as much.

/// Some columns of b, to be packed.
struct MatmulColumns {
  const std::uint8_t* b;
  std::int64_t k, stride;  ///< rows, and bytes from one to the next
  std::int64_t columns;    ///< that there are, up to a panel
  std::uint8_t flip;       ///< 0x80 where b is u8
};

/// One panel's columns of a number of rows.
struct MatmulBlock {
  const std::uint8_t* a;  ///< [rows][k]
  std::int64_t rows, k;
  std::uint8_t a_flip;        ///< 0x80 where a is s8
  const std::int8_t* panel;   ///< packed
  std::int64_t columns;       ///< that there are
  const std::int32_t* start;  ///< by column: what sums begin with
  /// By column b's zero points, times which the sum of a row's a is subtracted; nullptr = zeros.
  const std::int32_t* b_zero;
  std::uint8_t* y;          ///< of the first row and column
  std::int64_t y_stride;    ///< bytes from row to row
  const float* multiplier;  ///< by column; nullptr: y is the s32 sums
  float lowest, highest;    ///< of a result less its zero point
  std::int32_t y_zero;
};

// A packed panel: [k / group][column][group], rows filled up with zeros, then each column's s32 sum.
// `multiply` reads start, b_zero and multiplier of a whole panel.

// AVX-512 VNNI: panels of 64 columns, groups of 4 bytes.
void pack_matmul_panel_avx512_vnni(const MatmulColumns& b, std::int8_t* panel);
void multiply_matmul_panel_avx512_vnni(const MatmulBlock& block);

// AVX2: panels of 16 columns, groups of 2 s16.
void pack_matmul_panel_avx2(const MatmulColumns& b, std::int8_t* panel);
void multiply_matmul_panel_avx2(const MatmulBlock& block);

}  // namespace octavo
