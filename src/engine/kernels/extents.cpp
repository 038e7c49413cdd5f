#include "engine/kernels/extents.h"

#include "base/fail.h"

namespace octavo {

void check_extent(std::string_view family, std::string_view field, std::int64_t value, std::int64_t lowest,
                  std::int64_t highest) {
  if (value < lowest || value > highest) {
    fail(ErrorCode::invalid_argument, "{} problem: {} is {}, expected {} to {}", family, field, value, lowest,
         highest);
  }
}

void check_elements(std::string_view family, std::string_view what, std::span<const std::int64_t> extents) {
  std::int64_t count = 1;
  for (std::int64_t extent : extents) {
    check_extent(family, what, extent, 0, kMostElements);
    // An extent of 0 must not hide an overflow of the others: strides are made of those.
    const std::int64_t factor = extent == 0 ? 1 : extent;
    if (count > kMostElements / factor) {
      fail(ErrorCode::invalid_argument, "{} problem: {} has more than {} elements", family, what,
           kMostElements);
    }
    count *= factor;
  }
}

void check_elements(std::string_view family, std::string_view what,
                    std::initializer_list<std::int64_t> extents) {
  check_elements(family, what, std::span(extents.begin(), extents.size()));
}

void check_flag(std::string_view family, std::string_view field, std::int64_t value) {
  if (value != 0 && value != 1) {
    fail(ErrorCode::invalid_argument, "{} problem: {} is {}, expected 0 or 1", family, field, value);
  }
}

}  // namespace octavo
