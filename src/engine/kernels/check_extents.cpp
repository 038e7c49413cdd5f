#include "engine/kernels/check_extents.h"

#include <algorithm>

#include "base/fail.h"

namespace octavo {

void check_extent(std::string_view family, std::string_view field, std::int64_t value, std::int64_t lowest,
                  std::int64_t highest) {
  if (value >= lowest && value <= highest) return;
  fail(ErrorCode::invalid_argument, "{} problem: '{}' is {}, expected {} to {}", family, field, value, lowest,
       highest);
}

std::int64_t checked_elements(std::string_view family, std::string_view field,
                              std::span<const std::int64_t> extents) {
  std::int64_t elements = 1;
  for (std::int64_t extent : extents) {
    check_extent(family, field, extent, 0);
    if (extent == 0) return 0;
  }
  for (std::int64_t extent : extents) {
    if (elements > kMostElements / extent) {
      fail(ErrorCode::invalid_argument, "{} problem: '{}' has more than {} elements", family, field,
           kMostElements);
    }
    elements *= extent;
  }
  return elements;
}

std::int64_t checked_elements(std::string_view family, std::string_view field,
                              std::initializer_list<std::int64_t> extents) {
  return checked_elements(family, field, std::span(extents.begin(), extents.size()));
}

}  // namespace octavo
