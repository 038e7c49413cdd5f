#pragma once
#include <cstdint>
#include <vector>

#include "engine/kernels/reach.h"

namespace octavo {

/// How a kernel would have the images that it reads lie in memory, in place of the plan's dense pixels: with
/// a border around them, or pixels of odd and even columns apart. A step before it may write them so, and
/// nothing is copied in between.
struct PixelLayout {
  /// Pixel (y, x) is row[y] + column[x] bytes from its image's beginning; [ih] and [iw].
  std::vector<std::int64_t> row;
  std::vector<std::int64_t> column;
  std::int64_t column_step = 0;  ///< bytes from each column to the next, where it is the same; 0 = it is not
  /// Of a pixel, a byte each; what lies between pixels is border or means nothing.
  std::int64_t channels = 0;
  std::int64_t images = 1;        ///< for each unit of batch
  std::int64_t image_bytes = 0;   ///< from image to image
  std::int64_t bytes_beyond = 0;  ///< read beyond the last image, whatever they are
  std::vector<ByteRange> border;  ///< of an image, within it; whoever writes its pixels also fills this
  std::uint8_t border_value = 0;

  /// Whether pixels lie in the same places, whatever the border holds.
  [[nodiscard]] bool has_places_of(const PixelLayout& other) const noexcept {
    return row == other.row && column == other.column && channels == other.channels &&
           images == other.images && image_bytes == other.image_bytes;
  }
  [[nodiscard]] std::int64_t bytes(std::int64_t batch) const noexcept {
    return image_bytes * images * batch + bytes_beyond;
  }
};

}  // namespace octavo
