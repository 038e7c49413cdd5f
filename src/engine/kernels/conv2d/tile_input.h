#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/pixel_layout.h"

namespace octavo {

/// How tile kernels find the windows of output pixels: window after window at one distance, so that a tile of
/// pixels is one strided load, and a window itself as steps of 64 bytes. Where the input is not like that by
/// itself it is copied, band by band, with its border: position (row, column) of a copy holds the input
/// pixels (row * sh + i, column * sw + j), i < sh, j < sw, all of its own ("cells", for few channels) or in
/// sh * sw planes. A window is then (window_rows x window_columns) positions with stride 1, and windows of
/// consecutive positions are tile rows even across the ends of pixel rows; the windows of positions that are
/// no output pixels are computed in vain.
class TileInput {
 public:
  /// `x_zero_point` of the stored input.
  TileInput(const Conv2dProblem& p, std::int32_t x_zero_point);

  /// The zero point of what is multiplied, which is u8.
  [[nodiscard]] std::int32_t zero_point() const noexcept { return zero_point_; }
  /// Whether windows are read where they are, and nothing is copied.
  static bool is_in_place(const Conv2dProblem& p) noexcept;
  /// Bytes from a window's beginning to each step of 64 bytes.
  [[nodiscard]] const std::vector<std::int64_t>& steps() const noexcept { return steps_; }
  /// Bytes from a position's window to the next one's.
  [[nodiscard]] std::int64_t position_bytes() const noexcept { return position_bytes_; }

  /// Where a weight stands: byte `byte` of step `step`.
  struct Place {
    std::int64_t step, byte;
  };
  [[nodiscard]] Place place_of(std::int64_t ic, std::int64_t ky, std::int64_t kx) const noexcept;

  /// Output pixels in rows [first_row, first_row + rows) of images [first_image, first_image + images): a
  /// strip an image, or one strip of all where the positions of images follow each other.
  struct Band {
    std::int64_t first_image, images, first_row, rows;
  };
  /// The next band from output row `row` on (counted over all images), which ends at `end` at the latest.
  /// `is_placed`: images lie as `layout` says.
  [[nodiscard]] Band band(std::int64_t row, std::int64_t end, bool is_placed) const noexcept;

  [[nodiscard]] std::int64_t strips(const Band& b) const noexcept { return is_seamless_ ? 1 : b.images; }
  /// Positions of a strip, from its first output pixel to its last.
  [[nodiscard]] std::int64_t positions(const Band& b) const noexcept;
  /// Positions of a pixel row: the first ow are output pixels.
  [[nodiscard]] std::int64_t columns() const noexcept { return columns_; }
  /// Makes the band's input ready and returns where its first strip's first window begins.
  const std::uint8_t* place(const Band& b, const std::byte* x, std::byte* copy) const noexcept;
  /// The layout of images that need not be copied any more; nothing where images are not copied, or not as
  /// they are, or in planes that are not whole.
  [[nodiscard]] std::optional<PixelLayout> layout() const;
  /// `place` where images lie as `layout` says.
  [[nodiscard]] const std::uint8_t* placed(const Band& b, const std::byte* x) const noexcept {
    return reinterpret_cast<const std::uint8_t*>(x) + b.first_image * placed_image_bytes_ +
           b.first_row * columns_ * position_bytes_;
  }
  /// Where the input is read in place, the steps of its last windows may go beyond its end, to meet weights
  /// of zero: has those of `tiles` (ascending, `rows` windows each) that do read a copy. `x_end`: end of all
  /// images.
  void keep_inside(std::span<const std::uint8_t*> tiles, std::int64_t rows, const std::byte* x_end,
                   std::byte* copy) const noexcept;
  /// From strip to strip of what `place` returned.
  [[nodiscard]] std::int64_t strip_bytes() const noexcept { return strip_bytes_; }

  /// For the copy of `place` or `keep_inside`.
  [[nodiscard]] std::int64_t copy_bytes() const noexcept;
  /// Most positions and strips of a band.
  [[nodiscard]] std::int64_t most_positions() const noexcept;
  [[nodiscard]] std::int64_t most_strips() const noexcept { return is_seamless_ ? 1 : placed_images_; }

 private:
  void choose_form();
  void choose_bands();
  void list_steps();
  /// Positions behind the last row that its last windows read: the border that each row shares with the next.
  [[nodiscard]] std::int64_t positions_behind() const noexcept;
  [[nodiscard]] bool uses_row_phase(std::int64_t i) const noexcept;
  [[nodiscard]] bool uses_column_phase(std::int64_t j) const noexcept;
  void copy_strip(const Band& b, const std::byte* image, std::byte* to) const noexcept;
  void copy_rows(std::int64_t first, std::int64_t count, const std::byte* image,
                 std::byte* to) const noexcept;
  void copy_row(const std::byte* row, std::int64_t column_phase, std::byte* to) const noexcept;
  [[nodiscard]] bool holds_rgb_cells() const noexcept;
  void copy_rgb_cells(std::int64_t first, std::int64_t count, const std::byte* image,
                      std::byte* to) const noexcept;
  void copy_pixels(const std::byte* from, std::int64_t from_bytes, std::int64_t count,
                   std::byte* to) const noexcept;

  Conv2dProblem p_;
  std::int32_t zero_point_;
  bool is_copied_ = true;
  bool is_seamless_ = false;  ///< windows are single positions, all of them output pixels
  bool has_cells_ = false;
  bool copies_rows_ = false;                   ///< a row of cells is a row of the image with its border
  std::int64_t window_rows_, window_columns_;  ///< in positions
  std::int64_t pixel_bytes_ = 0;               ///< of a copied pixel
  std::int64_t position_bytes_ = 0;
  std::int64_t phase_bytes_ = 0;  ///< from phase to phase
  std::int64_t columns_ = 0;      ///< positions of a row
  std::int64_t run_steps_ = 0;    ///< steps of a window row (cells) or of a tap (planes)
  std::int64_t band_rows_ = 1;
  std::int64_t band_images_ = 1, placed_images_ = 1;  ///< most of a band that is copied, of one that is not
  std::int64_t strip_bytes_ = 0;
  std::int64_t placed_image_bytes_ = 0;  ///< of a whole image as `layout` says
  std::vector<std::int64_t> steps_;
};

}  // namespace octavo
