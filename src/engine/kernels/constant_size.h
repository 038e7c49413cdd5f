#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace octavo {

/// Calls action(bytes): for 8, 16, 32 and 64 with a constant, so that copying or setting so many bytes
/// becomes one or a few instructions instead of a call.
template <class Action>
void with_constant_size(std::int64_t bytes, Action&& action) {
  switch (bytes) {
    case 8:
      return action(std::integral_constant<std::size_t, 8>{});
    case 16:
      return action(std::integral_constant<std::size_t, 16>{});
    case 32:
      return action(std::integral_constant<std::size_t, 32>{});
    case 64:
      return action(std::integral_constant<std::size_t, 64>{});
    default:
      return action(static_cast<std::size_t>(bytes));
  }
}

}  // namespace octavo
