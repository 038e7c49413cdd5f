#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace octavo::cli {

/// The bytes of a file that octavo_embed (CMakeLists.txt) put into the program, by its name without folders;
/// they live as long as the program. Error(internal) when there is none of that name.
std::span<const std::byte> embedded_file(std::string_view name);

}  // namespace octavo::cli
