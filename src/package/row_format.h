#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace octavo {

/// How one row of an embedding table lies in memory and on disk. Rows follow each other without gaps. In the
/// 4-bit formats, with h = ceil(dim / 2), byte i < h holds element i in its low and element i + h in its high
/// nibble (zero where there is no element); `scale` and `codebook` without "row" are the table's.
enum class RowFormat : std::uint8_t {
  f32,          ///< dim floats
  f16,          ///< dim IEEE half floats
  s8_table,     ///< dim bytes q in -127..127:               value = scale * q
  s8_row,       ///< dim bytes q, then the row's f32 scale:  value = row scale * q
  s4_row,       ///< h bytes of q in 0..15, then f16 scale and f16 bias of the row:  value = scale * q + bias
  s4_codebook,  ///< h bytes of q in 0..15:                  value = scale * codebook[q]
};

inline constexpr std::int64_t kRowFormats = 6;
/// Entries of a table's codebook, each -127..127.
inline constexpr std::int64_t kCodebookEntries = 16;

/// "f32", "s8_table", ...
std::string_view row_format_name(RowFormat format) noexcept;
/// The inverse of `row_format_name`; nothing for an unknown name.
std::optional<RowFormat> parse_row_format(std::string_view name) noexcept;
/// Bytes from one row to the next.
std::int64_t row_bytes(RowFormat format, std::int64_t dim) noexcept;
/// Whether all rows share one scale, which DlrmTable holds.
bool has_table_scale(RowFormat format) noexcept;

}  // namespace octavo
