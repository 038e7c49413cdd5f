#pragma once
#include "base/fail.h"
#include "engine/kernels/problem_text.h"

namespace octavo {

/// The enum value whose text is `name`; Error(unsupported) for an unknown one.
template <NamedEnum E>
E named(std::string_view name) {
  const auto names = enum_names(E{});
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  fail(ErrorCode::unsupported, "'{}' is not among those known", name);
}

}  // namespace octavo
