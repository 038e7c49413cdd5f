#include "engine/kernels/extents.h"

#include "base/fail.h"

namespace octavo {

void check_extent(std::string_view family, std::string_view field, std::int64_t value, std::int64_t lowest) {
  if (value < lowest || value > kLargestExtent) {
    fail(ErrorCode::invalid_argument, "{} problem: {} is {}, expected {} to {}", family, field, value, lowest,
         kLargestExtent);
  }
}

void check_elements(std::string_view family, std::string_view what,
                    std::initializer_list<std::int64_t> extents) {
  std::int64_t count = 1;
  for (std::int64_t extent : extents) {
    if (count > kMostElements / extent) {
      fail(ErrorCode::invalid_argument, "{} problem: {} has more than {} elements", family, what,
           kMostElements);
    }
    count *= extent;
  }
}

void check_flag(std::string_view family, std::string_view field, std::int64_t value) {
  if (value != 0 && value != 1) {
    fail(ErrorCode::invalid_argument, "{} problem: {} is {}, expected 0 or 1", family, field, value);
  }
}

}  // namespace octavo
