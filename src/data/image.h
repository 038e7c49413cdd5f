#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace octavo {

/// A picture: rows from the top, each `width` pixels of red, green, blue, one byte each.
struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> rgb;

  Image() = default;
  /// Black.
  Image(std::int64_t w, std::int64_t h)
      : width(w), height(h), rgb(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 3) {}

  [[nodiscard]] std::uint8_t* row(std::int64_t y) noexcept { return rgb.data() + y * width * 3; }
  [[nodiscard]] const std::uint8_t* row(std::int64_t y) const noexcept { return rgb.data() + y * width * 3; }
};

/// The part of `image` from (left, top); pixels outside it are black, as in Pillow's crop.
Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width, std::int64_t height);

}  // namespace octavo
