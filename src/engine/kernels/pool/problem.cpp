#include "engine/kernels/pool/problem.h"

#include "engine/kernels/extents.h"

namespace octavo {

void PoolProblem::check() const {
  constexpr std::int64_t kMostExtent = 1 << 20;
  each_field([](std::string_view name, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::int64_t>) {
      const bool from_zero = name.front() == 'p' || name == "count_include_pad";
      check_extent(kFamily, name, value, from_zero ? 0 : 1, name == "n" ? kMostElements : kMostExtent);
    }
  });
  check_extent(kFamily, "count_include_pad", count_include_pad, 0, 1);
  check_elements(kFamily, "x", {n, ih, iw, c});
  check_elements(kFamily, "y", {n, oh, ow, c});
}

StepSizes PoolProblem::sizes() const {
  return {{OperandSize::growing(x, n * ih * iw * c)}, OperandSize::growing(y, n * oh * ow * c)};
}

}  // namespace octavo
