#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace octavo {

/// The most elements that one tensor may have per unit of batch: far beyond any model, far below overflow.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

/// Error(invalid_argument) "FAMILY problem: 'FIELD' is VALUE, ..." unless lowest <= value <= highest.
void check_extent(std::string_view family, std::string_view field, std::int64_t value, std::int64_t lowest,
                  std::int64_t highest = kMostElements);
/// The product of extents, none negative; Error(invalid_argument) when `field` would have more than
/// kMostElements.
std::int64_t checked_elements(std::string_view family, std::string_view field,
                              std::span<const std::int64_t> extents);
std::int64_t checked_elements(std::string_view family, std::string_view field,
                              std::initializer_list<std::int64_t> extents);

}  // namespace octavo
