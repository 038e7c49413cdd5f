#include "cli/ansi_picture.h"

#include <fmt/format.h>

#include <iterator>

namespace octavo::cli {

std::vector<std::string> ansi_lines(const Image& image) {
  std::vector<std::string> lines;
  for (std::int64_t y = 0; y < image.height; y += 2) {
    std::string line;
    const bool has_lower = y + 1 < image.height;
    for (std::int64_t x = 0; x < image.width; ++x) {
      const std::uint8_t* upper = image.row(y) + 3 * x;
      fmt::format_to(std::back_inserter(line), "\x1b[38;2;{};{};{}m", upper[0], upper[1], upper[2]);
      if (has_lower) {
        const std::uint8_t* lower = image.row(y + 1) + 3 * x;
        fmt::format_to(std::back_inserter(line), "\x1b[48;2;{};{};{}m", lower[0], lower[1], lower[2]);
      }
      line += "▀";
    }
    lines.push_back(line + "\x1b[0m");
  }
  return lines;
}

Image halved(const Image& image) {
  Image half(image.width / 2, image.height / 2);
  for (std::int64_t y = 0; y < half.height; ++y) {
    const std::uint8_t* upper = image.row(2 * y);
    const std::uint8_t* lower = image.row(2 * y + 1);
    for (std::int64_t i = 0; i < 3 * half.width; ++i) {
      const std::int64_t at = i / 3 * 6 + i % 3;
      const int sum = upper[at] + upper[at + 3] + lower[at] + lower[at + 3];
      half.row(y)[i] = static_cast<std::uint8_t>((sum + 2) / 4);
    }
  }
  return half;
}

}  // namespace octavo::cli
