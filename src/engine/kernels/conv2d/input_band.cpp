#include "engine/kernels/conv2d/input_band.h"

#include <algorithm>
#include <cstring>

#include "base/cpu.h"
#include "base/divided_up.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {
namespace {

/// Input that a band should touch: fits L2 beside a panel of weights, and amortises reading the weights
/// (docs/performance.md).
std::int64_t most_band_bytes() noexcept {
  constexpr std::int64_t kLargeL2 = std::int64_t{2048} * 1024;
  return (cpu_facts().system.l2_bytes >= kLargeL2 ? 256 : 96) * std::int64_t{1024};
}
constexpr std::int64_t kMostPixels = 1024;
/// Kernels read whole vectors and whole groups of 4 bytes, so up to this much beyond the last pixel.
constexpr std::int64_t kSlackBytes = 64;

bool reads_pixel_by_pixel(const Conv2dProblem& p) {
  return p.kh == 1 && p.kw == 1 && p.sh == 1 && p.sw == 1 && p.pt + p.pl + p.pb + p.pr == 0;
}

/// `count` windows, each `step` bytes behind the one before.
void list_windows(const std::byte* first, std::int64_t step, const std::uint8_t** windows,
                  std::int64_t count) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(first);
  for (std::int64_t i = 0; i < count; ++i, at += step) windows[i] = at;
}

}  // namespace

bool can_share_ends(const Conv2dProblem& p) noexcept {
  // Groups of rows begin with a window; ends of neighbouring windows do not overlap.
  return p.g == 1 && p.kw * p.ic > 4 && p.kw * p.ic % 4 == 1 && p.kh > 1 && p.dh == 1 && p.dw == 1 &&
         4 % p.sh == 0 && p.sw * p.ic >= 4;
}

InputBand::InputBand(const Conv2dProblem& p, InputForm form, std::int32_t x_zero_point, RowEnds ends,
                     std::int64_t block_pixels)
    : problem_(p),
      form_(form),
      x_zero_point_(x_zero_point),
      zero_point_(form == InputForm::widened ? 0 : x_zero_point + flip_to_u8(p.x)),
      element_bytes_(form == InputForm::widened ? 2 : 1),
      is_flat_(reads_pixel_by_pixel(p)) {
  const bool is_padded = p.pt + p.pl + p.pb + p.pr > 0;
  is_copied_ = form == InputForm::widened || p.x != DType::u8 || is_padded || ends != RowEnds::whole;
  first_column_ = is_copied_ ? -p.pl : 0;
  columns_ = is_copied_ ? (p.ow() - 1) * p.sw + p.dw * (p.kw - 1) + 1 : p.iw;
  row_bytes_ = columns_ * p.ic * element_bytes_;
  const std::int64_t bytes_per_output_row = std::max<std::int64_t>(row_bytes_ * p.sh, 1);
  band_rows_ = std::clamp<std::int64_t>(most_band_bytes() / bytes_per_output_row, 1, p.oh());
  band_rows_ = std::clamp<std::int64_t>(kMostPixels / p.ow(), 1, band_rows_);
  band_pixels_ = band_rows_ * p.ow();
  ends_begin_ = ends == RowEnds::shared ? copied_rows(band_rows_) * row_bytes_ : 0;
  if (is_flat_) {
    band_pixels_ = std::clamp<std::int64_t>(most_band_bytes() / (p.ic * element_bytes_), 28, kMostPixels);
    band_pixels_ = divided_up(band_pixels_, block_pixels) * block_pixels;
  }
}

std::int64_t InputBand::copied_rows(std::int64_t rows) const noexcept {
  return (rows - 1) * problem_.sh + problem_.dh * (problem_.kh - 1) + 1;
}

std::int64_t InputBand::scratch_bytes() const noexcept {
  const std::int64_t pointers = (band_pixels_ * static_cast<std::int64_t>(sizeof(void*)) + 63) / 64 * 64;
  if (!is_copied_) return pointers;
  if (is_flat_) return pointers + band_pixels_ * problem_.ic * element_bytes_ + kSlackBytes;
  const std::int64_t rows = copied_rows(band_rows_);
  return pointers + (ends_begin_ > 0 ? 2 : 1) * rows * row_bytes_ + kSlackBytes;
}

void InputBand::convert(const std::byte* from, std::int64_t count, std::byte* to) const noexcept {
  if (form_ == InputForm::widened) {
    auto* wide = reinterpret_cast<std::int16_t*>(to);
    const auto* u8 = reinterpret_cast<const std::uint8_t*>(from);
    const auto* s8 = reinterpret_cast<const std::int8_t*>(from);
    const auto zero = static_cast<std::int16_t>(x_zero_point_);
    if (problem_.x == DType::u8) {
      for (std::int64_t i = 0; i < count; ++i) wide[i] = static_cast<std::int16_t>(u8[i] - zero);
    } else {
      for (std::int64_t i = 0; i < count; ++i) wide[i] = static_cast<std::int16_t>(s8[i] - zero);
    }
  } else if (problem_.x == DType::u8) {
    std::memcpy(to, from, static_cast<std::size_t>(count));
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] ^ std::byte{0x80};
  }
}

void InputBand::fill(std::byte* to, std::int64_t pixels) const noexcept {
  // The widened zero point is 0, so bytes serve both forms.
  std::memset(to, zero_point_, static_cast<std::size_t>(pixels * problem_.ic * element_bytes_));
}

void InputBand::copy_row(const std::byte* image, std::int64_t iy, std::byte* to) const noexcept {
  if (iy < 0 || iy >= problem_.ih) return fill(to, columns_);
  const std::int64_t pixel_bytes = problem_.ic * element_bytes_;
  const std::int64_t before = std::min(-first_column_, columns_);
  const std::int64_t inside = std::clamp<std::int64_t>(columns_ - before, 0, problem_.iw);
  fill(to, before);
  convert(image + iy * problem_.iw * problem_.ic, inside * problem_.ic, to + before * pixel_bytes);
  fill(to + (before + inside) * pixel_bytes, columns_ - before - inside);
}

/// Of every output pixel at every `sh`-th of the copied rows: the last bytes of that row of its window and of
/// the next 3, as far from each other as the windows are.
void InputBand::share_ends(std::byte* copy, std::int64_t rows) const noexcept {
  const Conv2dProblem& p = problem_;
  const std::int64_t step = p.sw * p.ic, end = p.ow() * step;
  for (std::int64_t first = 0; first < rows; first += p.sh) {
    const auto row = [&](std::int64_t i) {
      return reinterpret_cast<const std::uint8_t*>(copy) + std::min(first + i, rows - 1) * row_bytes_ +
             p.kw * p.ic - 1;
    };
    const auto *const r0 = row(0), *const r1 = row(1), *const r2 = row(2), *const r3 = row(3);
    auto* const to = reinterpret_cast<std::uint8_t*>(copy + ends_begin_ + first * row_bytes_);
    for (std::int64_t at = 0; at < end; at += step) {
      const std::uint32_t low = r0[at] | std::uint32_t{r1[at]} << 8;
      const std::uint32_t four = low | std::uint32_t{r2[at]} << 16 | std::uint32_t{r3[at]} << 24;
      std::memcpy(to + at, &four, sizeof four);
    }
  }
}

InputBand::Placed InputBand::place_flat(const std::byte* x, std::int64_t first, std::int64_t end,
                                        std::byte* scratch) const noexcept {
  auto* windows = reinterpret_cast<const std::uint8_t**>(scratch);
  const std::int64_t count = std::min(end - first, band_pixels_);
  const std::byte* base = x + first * problem_.ic;
  if (is_copied_) {
    std::byte* copy = scratch + (band_pixels_ * static_cast<std::int64_t>(sizeof(void*)) + 63) / 64 * 64;
    convert(base, count * problem_.ic, copy);
    base = copy;
  }
  list_windows(base, problem_.ic * element_bytes_, windows, count);
  return {windows, count};
}

/// Bands end with a row of pixels where they can, and with the image.
std::int64_t InputBand::pick_end(std::int64_t first, std::int64_t end) const noexcept {
  const std::int64_t row = first / problem_.ow();
  const std::int64_t rows_of_image_left = problem_.oh() - row % problem_.oh();
  return std::min(end, (row + std::min(band_rows_, rows_of_image_left)) * problem_.ow());
}

InputBand::Placed InputBand::place(const std::byte* x, std::int64_t first, std::int64_t end,
                                   std::byte* scratch) const noexcept {
  if (is_flat_) return place_flat(x, first, end, scratch);
  const Conv2dProblem& p = problem_;
  const std::int64_t stop = pick_end(first, end);
  const std::int64_t image_row = first / p.ow() % p.oh();
  const std::int64_t last_image_row = (stop - 1) / p.ow() % p.oh();
  const std::byte* image = x + first / (p.ow() * p.oh()) * p.ih * p.iw * p.ic;
  const std::byte* base = image + image_row * p.sh * row_bytes_;
  if (is_copied_) {
    std::byte* copy = scratch + (band_pixels_ * static_cast<std::int64_t>(sizeof(void*)) + 63) / 64 * 64;
    const std::int64_t rows = copied_rows(last_image_row - image_row + 1);
    for (std::int64_t i = 0; i < rows; ++i)
      copy_row(image, image_row * p.sh - p.pt + i, copy + i * row_bytes_);
    if (ends_begin_ > 0) share_ends(copy, rows);
    base = copy;
  }
  auto* windows = reinterpret_cast<const std::uint8_t**>(scratch);
  const std::int64_t step = p.sw * p.ic * element_bytes_;
  std::int64_t column = first % p.ow();
  for (std::int64_t i = 0; i < stop - first;) {
    const std::byte* const row = base + column * step;
    const std::int64_t count = std::min(p.ow() - column, stop - first - i);
    list_windows(row, step, windows + i, count);
    i += count;
    column = 0;
    base += p.sh * row_bytes_;
  }
  return {windows, stop - first};
}

}  // namespace octavo
