#pragma once
#include <algorithm>
#include <cstdint>

#include "engine/kernels/pool/problem.h"

namespace octavo {

/// The input positions first, first + step, ... (`taps` of them) that output position `out` reads along one
/// extent, and how many positions an average with count_include_pad divides by.
struct PoolWindow {
  std::int64_t first = 0, taps = 0, step = 1, taps_with_padding = 0;
};

/// Along one extent: `in` inputs with `before` and `after` padding, `kernel` taps `dilation` apart.
inline PoolWindow pool_window(std::int64_t out, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                              std::int64_t before, std::int64_t after, std::int64_t dilation) noexcept {
  const std::int64_t start = out * stride - before;
  // Taps k with lowest <= start + k * dilation < end.
  const auto taps_from = [&](std::int64_t lowest) {
    return start >= lowest ? 0 : (lowest - start + dilation - 1) / dilation;
  };
  const auto taps_until = [&](std::int64_t end) {
    return start >= end ? 0 : std::min(kernel, (end - start + dilation - 1) / dilation);
  };
  const std::int64_t from = taps_from(0);
  const std::int64_t taps = std::max<std::int64_t>(0, taps_until(in) - from);
  return {start + from * dilation, taps, dilation, taps_until(in + after)};
}

inline PoolWindow adaptive_window(std::int64_t out, std::int64_t in, std::int64_t outs) noexcept {
  const std::int64_t first = out * in / outs;
  const std::int64_t taps = ((out + 1) * in + outs - 1) / outs - first;
  return {first, taps, 1, taps};
}

inline PoolWindow pool_window_h(const PoolProblem& p, std::int64_t oh) noexcept {
  if (p.kind == PoolKind::adaptive_average) return adaptive_window(oh, p.ih, p.oh);
  return pool_window(oh, p.ih, p.kh, p.sh, p.pt, p.pb, p.dh);
}
inline PoolWindow pool_window_w(const PoolProblem& p, std::int64_t ow) noexcept {
  if (p.kind == PoolKind::adaptive_average) return adaptive_window(ow, p.iw, p.ow);
  return pool_window(ow, p.iw, p.kw, p.sw, p.pl, p.pr, p.dw);
}

/// How many values an average over these two windows divides by.
inline std::int64_t average_count(const PoolProblem& p, const PoolWindow& h, const PoolWindow& w) noexcept {
  return p.count_include_pad != 0 ? h.taps_with_padding * w.taps_with_padding : h.taps * w.taps;
}

}  // namespace octavo
