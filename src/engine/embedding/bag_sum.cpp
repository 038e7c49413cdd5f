#include "engine/embedding/bag_sum.h"

#include <algorithm>
#include <vector>

namespace octavo {

std::span<const BagSumRow> bag_sum_rows() {
  static constexpr BagSumRow kRows[] = {
      {"avx512", Isa::avx512, bag_sum_avx512},
      {"avx2", Isa::avx2, bag_sum_avx2},
      {"reference", Isa::generic, bag_sum_reference},
  };
  return kRows;
}

BagSum best_bag_sum(Isa isa) {
  const auto rows = bag_sum_rows();
  return std::find_if(rows.begin(), rows.end(),
                      [isa](const BagSumRow& row) { return implies(isa, row.needs); })
      ->sum;
}

BagTable bag_table(const TableView& table) {
  return {reinterpret_cast<const std::uint8_t*>(table.data),
          row_bytes(table.coding.format, table.coding.dim),
          table.coding.dim,
          table.coding.codebook.data(),
          table.coding.scale,
          static_cast<std::int32_t>(table.coding.format)};
}

void bag_sum_reference(const BagTable& table, const std::int64_t* rows, std::int64_t count, float* dst) {
  RowCoding coding{static_cast<RowFormat>(table.format), table.dim, table.scale, {}};
  std::copy_n(table.codebook, kCodebookEntries, coding.codebook.begin());
  std::fill_n(dst, table.dim, 0.0F);
  // A piece of the stack instead of a row: this must not allocate. A row is decoded once for each piece.
  constexpr std::int64_t kPiece = 64;
  float values[kPiece];
  for (std::int64_t first = 0; first < table.dim; first += kPiece) {
    const std::int64_t piece = std::min(kPiece, table.dim - first);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto* const row = reinterpret_cast<const std::byte*>(table.rows + rows[i] * table.row_bytes);
      decode_elements(coding, row, first, {values, static_cast<std::size_t>(piece)});
      for (std::int64_t k = 0; k < piece; ++k) dst[first + k] += values[k];
    }
  }
}

}  // namespace octavo
