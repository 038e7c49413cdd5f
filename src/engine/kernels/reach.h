#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace octavo {

/// Bytes [begin, end) of a tensor.
struct ByteRange {
  std::int64_t begin = 0, end = 0;
  [[nodiscard]] bool is_empty() const noexcept { return begin >= end; }
};

/// What a share of a step touches of one image's tensors.
struct Reach {
  ByteRange output;               ///< written whole; nothing else is
  std::vector<ByteRange> inputs;  ///< read, by operand: not more than these matters; constants have none
};

/// How windows lie on an image, channels last.
struct WindowRows {
  std::int64_t ih, row_bytes;    ///< of the input
  std::int64_t ow, pixel_bytes;  ///< of the output
  std::int64_t height;           ///< of a window, dilation included
  std::int64_t stride, padding;
};

/// What output pixels [begin, end), counted row by row, are and which input rows their windows meet.
inline Reach window_reach(const WindowRows& w, std::int64_t begin, std::int64_t end) {
  Reach reach{{begin * w.pixel_bytes, end * w.pixel_bytes}, {{}}};
  if (begin >= end) return reach;
  const std::int64_t top = begin / w.ow * w.stride - w.padding;
  const std::int64_t bottom = (end - 1) / w.ow * w.stride - w.padding + w.height;
  const auto row = [&](std::int64_t y) { return std::clamp<std::int64_t>(y, 0, w.ih) * w.row_bytes; };
  reach.inputs.front() = {row(top), row(bottom)};
  return reach;
}

}  // namespace octavo
