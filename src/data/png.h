#pragma once
#include <cstddef>
#include <span>

#include "data/image.h"

namespace octavo {

/// `decode_image` of bytes that start as a PNG does.
Image decode_png(std::span<const std::byte> bytes);

}  // namespace octavo
