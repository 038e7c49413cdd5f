#pragma once
#include <span>
#include <string>

#include "cli/demo_shapes.h"

namespace octavo::cli {

/// One line a picture: the class it shows, whether the network found it, and its best three scores.
std::string gallery_text(const ShapePictures& pictures, const Tensor& logits,
                         std::span<const std::int64_t> shown);

/// The pictures themselves in a terminal `columns` characters wide, up to five beside each other (at half
/// their size where five do not fit), each above the same facts.
std::string gallery_in_colours(const ShapePictures& pictures, const Tensor& logits,
                               std::span<const std::int64_t> shown, int columns);

}  // namespace octavo::cli
