#pragma once
#include <string_view>

namespace octavo {

/// This Octavo's version, as in CMakeLists.txt.
inline constexpr std::string_view kVersion = OCTAVO_VERSION;

}  // namespace octavo
