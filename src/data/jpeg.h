#pragma once
#include <cstddef>
#include <span>

#include "data/image.h"

namespace octavo {

/// `decode_image` of bytes that start as a JPEG does.
Image decode_jpeg(std::span<const std::byte> bytes);

}  // namespace octavo
