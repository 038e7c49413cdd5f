#include "package/row_format.h"

#include <algorithm>
#include <array>

namespace octavo {
namespace {

constexpr std::array<std::string_view, kRowFormats> kNames{"f32",    "f16",    "s8_table",
                                                           "s8_row", "s4_row", "s4_codebook"};

}  // namespace

std::string_view row_format_name(RowFormat format) noexcept {
  return kNames[static_cast<std::size_t>(format)];
}

std::optional<RowFormat> parse_row_format(std::string_view name) noexcept {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<RowFormat>(found - kNames.begin());
}

std::int64_t row_bytes(RowFormat format, std::int64_t dim) noexcept {
  const std::int64_t nibbles = (dim + 1) / 2;
  switch (format) {
    case RowFormat::f32:
      return 4 * dim;
    case RowFormat::f16:
      return 2 * dim;
    case RowFormat::s8_table:
      return dim;
    case RowFormat::s8_row:
      return dim + 4;
    case RowFormat::s4_row:
      return nibbles + 4;
    case RowFormat::s4_codebook:
      return nibbles;
  }
  return 0;
}

bool has_table_scale(RowFormat format) noexcept {
  return format == RowFormat::s8_table || format == RowFormat::s4_codebook;
}

}  // namespace octavo
