#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/embedding/value_histogram.h"
#include "package/row_format.h"

namespace octavo {

/// How the rows of one table are coded: all that stands outside of the rows.
struct RowCoding {
  RowFormat format = RowFormat::f32;
  std::int64_t dim = 0;
  float scale = 1.0F;  ///< of the formats with one scale for all rows
  std::array<std::int8_t, kCodebookEntries> codebook{};
};

/// Codes the rows `values` (any number, `dim` floats each) into `rows` (row_bytes each). q is the nearest
/// there is, ties to even; in s8_row the row's scale is its largest magnitude / 127, in s4_row bias is the
/// row's smallest value and scale a fifteenth of its span, both rounded to half floats first.
/// Error(invalid_model) naming the row (counted from `first_row`) with a value that is not finite or that the
/// format cannot hold.
void encode_rows(const RowCoding& coding, std::span<const float> values, std::span<std::byte> rows,
                 std::int64_t first_row = 0);

/// The inverse: the reals that `rows` stand for, as RowFormat defines them; a product and a sum are one fma.
void decode_rows(const RowCoding& coding, std::span<const std::byte> rows, std::span<float> values) noexcept;
/// Elements of one row, from `first` on.
void decode_elements(const RowCoding& coding, const std::byte* row, std::int64_t first,
                     std::span<float> values) noexcept;

/// Learns from a table's rows what they are to be coded with: the scale of s8_table (largest magnitude /
/// 127), the scale and codebook of s4_codebook (the 16 values with the least squared error, on a histogram of
/// all values). Memory does not grow with the rows, and their order does not matter.
class RowCodingFit {
 public:
  RowCodingFit(RowFormat format, std::int64_t dim) : format_(format), dim_(dim) {}
  /// Rows, whole or not. Error(invalid_model) for a value that is not finite.
  void add(std::span<const float> values);
  [[nodiscard]] RowCoding coding() const;

 private:
  RowFormat format_;
  std::int64_t dim_;
  ValueHistogram values_;
};

}  // namespace octavo
