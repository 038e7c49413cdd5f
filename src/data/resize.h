#pragma once
#include <cstdint>

#include "data/image.h"

namespace octavo {

/// Bilinear with antialiasing, byte for byte as Pillow's `Image.resize((width, height), BILINEAR)`: when
/// shrinking, the triangle is as much wider as the picture gets smaller; rows first, then columns, in fixed
/// point, rounded to bytes in between. Error(invalid_argument) when either picture is empty or the result
/// exceeds kMostPixels.
Image resize_bilinear(const Image& image, std::int64_t width, std::int64_t height);

/// Each pixel is the mean of the area it covers in `image`, rounded half to even: what OpenCV calls
/// INTER_AREA. Errors as above.
Image resize_area(const Image& image, std::int64_t width, std::int64_t height);

}  // namespace octavo
