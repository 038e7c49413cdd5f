#include "data/picture_names.h"

#include <algorithm>
#include <array>

namespace octavo {

bool is_picture_name(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 3> kEndings{".jpg", ".jpeg", ".png"};
  const auto same_letter = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view ending) {
    return name.size() > ending.size() &&
           std::equal(ending.begin(), ending.end(), name.end() - static_cast<std::ptrdiff_t>(ending.size()),
                      [&](char wanted, char c) { return same_letter(c, wanted); });
  });
}

}  // namespace octavo
