#pragma once
#include <cstdint>

// What the kernels that sum bags are given: pointers and sizes only, for files compiled for one ISA.

namespace octavo {

/// The numbers of RowFormat.
enum BagFormat : std::int32_t { kF32, kF16, kS8Table, kS8Row, kS4Row, kS4Codebook };

/// A table as kernels see it; `format` is a RowFormat.
struct BagTable {
  const std::uint8_t* rows;
  std::int64_t row_bytes;
  std::int64_t dim;
  const std::int8_t* codebook;  ///< 16 entries
  float scale;
  std::int32_t format;
};

/// dst[i] = the sum of element i of the rows that `rows` names, added up in that order from zero, each row's
/// value as decode_rows gives it; no row gives zeros. Rows were checked by the caller.
using BagSum = void (*)(const BagTable& table, const std::int64_t* rows, std::int64_t count, float* dst);

void bag_sum_reference(const BagTable& table, const std::int64_t* rows, std::int64_t count, float* dst);
void bag_sum_avx2(const BagTable& table, const std::int64_t* rows, std::int64_t count, float* dst);
void bag_sum_avx512(const BagTable& table, const std::int64_t* rows, std::int64_t count, float* dst);

}  // namespace octavo
