#pragma once
#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/problem.h"

namespace octavo {

/// The form in which a direct kernel reads its 8-bit input.
enum class InputForm {
  bytes,    ///< u8; s8 is shifted by 128 into u8
  widened,  ///< s16 less the zero point
};

/// How the rows of a window end, of which a kernel reads whole groups of 4 bytes.
enum class RowEnds {
  whole,   ///< with such a group
  beyond,  ///< it reads on: the input is copied, so that there is something
  shared,  ///< one byte of each row is left over; it reads those of 4 rows together, at `end_offset`
};
/// Whether the ends of rows can be shared.
bool can_share_ends(const Conv2dProblem& p) noexcept;
/// Groups of 4 rows of a window.
constexpr std::int64_t end_groups(const Conv2dProblem& p) noexcept { return (p.kh + 3) / 4; }

/// How the windows of a convolution's output pixels are found in memory: in the input itself where its form
/// and the absence of padding allow that, else in a bordered copy of the rows that a band of output pixels
/// needs. Output pixels are numbered over all images of a run, row by row.
class InputBand {
 public:
  /// `block_pixels`: that the kernel takes at once; where windows are pixels in order, bands are whole
  /// blocks.
  InputBand(const Conv2dProblem& p, InputForm form, std::int32_t x_zero_point, RowEnds ends,
            std::int64_t block_pixels);

  /// The zero point of the input in its form.
  [[nodiscard]] std::int32_t zero_point() const noexcept { return zero_point_; }
  /// Bytes of one element in its form.
  [[nodiscard]] std::int64_t element_bytes() const noexcept { return element_bytes_; }
  /// Bytes from a window's beginning to its pixel at row ky, column kx.
  [[nodiscard]] std::int64_t tap_offset(std::int64_t ky, std::int64_t kx) const noexcept {
    return ky * problem_.dh * row_bytes_ + kx * problem_.dw * problem_.ic * element_bytes_;
  }
  /// Bytes from a window's beginning to the shared ends of its rows 4 * group to 4 * group + 3; what stands
  /// there for rows beyond the window does not matter.
  [[nodiscard]] std::int64_t end_offset(std::int64_t group) const noexcept {
    return ends_begin_ + group * 4 * row_bytes_;
  }
  /// Whether windows are the input's pixels, in order, where they lie.
  [[nodiscard]] bool is_in_place() const noexcept { return is_flat_ && !is_copied_; }
  /// What `place` needs, at 64-byte alignment.
  [[nodiscard]] std::int64_t scratch_bytes() const noexcept;

  /// A run of output pixels that was placed.
  struct Placed {
    const std::uint8_t** windows;  ///< in the scratch memory
    std::int64_t count;
  };
  /// Places pixels from `first` on, at least one and not `end`.
  Placed place(const std::byte* x, std::int64_t first, std::int64_t end, std::byte* scratch) const noexcept;

 private:
  [[nodiscard]] std::int64_t pick_end(std::int64_t first, std::int64_t end) const noexcept;
  void convert(const std::byte* from, std::int64_t count, std::byte* to) const noexcept;
  void copy_row(const std::byte* image, std::int64_t iy, std::byte* to) const noexcept;
  void fill(std::byte* to, std::int64_t pixels) const noexcept;
  [[nodiscard]] std::int64_t copied_rows(std::int64_t rows) const noexcept;
  void share_ends(std::byte* copy, std::int64_t rows) const noexcept;
  Placed place_flat(const std::byte* x, std::int64_t first, std::int64_t end,
                    std::byte* scratch) const noexcept;

  Conv2dProblem problem_;
  InputForm form_;
  std::int32_t x_zero_point_, zero_point_;
  std::int64_t element_bytes_;
  bool is_copied_;
  bool is_flat_;               ///< each window is one pixel of the input, in order
  std::int64_t first_column_;  ///< of a window row, relative to the input's
  std::int64_t columns_;       ///< pixels of a row that windows read
  std::int64_t row_bytes_;     ///< from input row to input row
  std::int64_t ends_begin_;    ///< shared ends, from the copied rows on; 0 = there are none
  std::int64_t band_rows_;     ///< rows of output pixels in a band
  std::int64_t band_pixels_;
};

}  // namespace octavo
