#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace octavo {

// What every Problem::check asks of its sizes. All throw Error(invalid_argument) that names the family, the
// field and its value.

/// Extents beyond this make no sense for an image model; the bound keeps sums of a few of them far from
/// overflow.
inline constexpr std::int64_t kLargestExtent = std::int64_t{1} << 31;
/// No tensor of a problem has more elements, so that element counts times 8 bytes times a batch fit 63 bits.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

/// `lowest` <= value <= `highest`.
void check_extent(std::string_view family, std::string_view field, std::int64_t value,
                  std::int64_t lowest = 1, std::int64_t highest = kLargestExtent);
/// No extent is negative and their product is at most kMostElements; `what` names the tensor.
void check_elements(std::string_view family, std::string_view what, std::span<const std::int64_t> extents);
void check_elements(std::string_view family, std::string_view what,
                    std::initializer_list<std::int64_t> extents);
/// `value` is 0 or 1.
void check_flag(std::string_view family, std::string_view field, std::int64_t value);

}  // namespace octavo
