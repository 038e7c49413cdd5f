#include "data/image.h"

#include <algorithm>

namespace octavo {

Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height) {
  Image part(width, height);
  const std::int64_t x_begin = std::max<std::int64_t>(left, 0);
  const std::int64_t x_end = std::min(left + width, image.width);
  const std::int64_t y_begin = std::max<std::int64_t>(top, 0);
  const std::int64_t y_end = std::min(top + height, image.height);
  if (x_begin >= x_end) return part;
  for (std::int64_t y = y_begin; y < y_end; ++y) {
    std::copy(image.row(y) + x_begin * 3, image.row(y) + x_end * 3, part.row(y - top) + (x_begin - left) * 3);
  }
  return part;
}

}  // namespace octavo
