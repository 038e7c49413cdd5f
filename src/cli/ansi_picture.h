#pragma once
#include <string>
#include <vector>

#include "data/image.h"

namespace octavo::cli {

/// The picture as lines for a terminal with 24-bit colours: a character shows two pixels, one above the
/// other, as an upper half block in the upper one's colour on the lower one's. image.width characters a line,
/// half of image.height (rounded up) lines, each of which leaves the colours as they were.
std::vector<std::string> ansi_lines(const Image& image);

/// The picture at half its size, each pixel the mean of four; an odd last row or column is dropped.
Image halved(const Image& image);

}  // namespace octavo::cli
