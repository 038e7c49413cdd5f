#pragma once
#include <fmt/format.h>

#include <utility>

#include "octavo/error.h"

namespace octavo {

/// Throws Error(code) with a formatted message: `fail(ErrorCode::io, "cannot open '{}': {}", path, reason)`.
template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace octavo
