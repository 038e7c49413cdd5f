#pragma once
#include <string_view>

namespace octavo {

/// Whether a file's name ends like a picture's: .jpg, .jpeg or .png in either case. What the file really
/// holds is seen when it is decoded.
bool is_picture_name(std::string_view name) noexcept;

}  // namespace octavo
