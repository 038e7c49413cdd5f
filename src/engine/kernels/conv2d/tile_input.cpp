#include "engine/kernels/conv2d/tile_input.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "engine/kernels/constant_size.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {
namespace {

constexpr std::int64_t kStep = 64;
/// A band's copy stays in L2 beside the weights that it meets.
constexpr std::int64_t kBandBytes = std::int64_t{640} * 1024;
constexpr std::int64_t kBandPositions = 4096;

/// Whether each window is one pixel of the input.
bool is_point(const Conv2dProblem& p) { return p.kh == 1 && p.kw == 1 && p.pt + p.pl + p.pb + p.pr == 0; }

/// s8 as u8.
void copy_flipped(const std::byte* from, std::int64_t bytes, std::byte* to) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(0x80));
  std::int64_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    const __m128i stored = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm_xor_si128(stored, flip));
  }
  for (; i < bytes; ++i) to[i] = from[i] ^ std::byte{0x80};
}

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

}  // namespace

TileInput::TileInput(const Conv2dProblem& p, std::int32_t x_zero_point)
    : p_(p),
      zero_point_(x_zero_point + flip_to_u8(p.x)),
      window_rows_(p.dh * (p.kh - 1) / p.sh + 1),
      window_columns_(p.dw * (p.kw - 1) / p.sw + 1) {
  choose_form();
  choose_bands();
  list_steps();
}

bool TileInput::is_in_place(const Conv2dProblem& p) noexcept {
  return is_point(p) && p.sh == 1 && p.sw == 1 && p.x == DType::u8;
}

void TileInput::choose_form() {
  is_copied_ = !is_in_place(p_);
  is_seamless_ = is_point(p_);
  const std::int64_t cell_pixel = rounded_up(p_.ic, 4);
  const std::int64_t cell_run = rounded_up(window_columns_ * p_.sh * p_.sw * cell_pixel, kStep);
  const std::int64_t plane_pixel = rounded_up(p_.ic, kStep);
  has_cells_ = is_copied_ && window_rows_ * cell_run < p_.kh * p_.kw * plane_pixel;
  pixel_bytes_ = has_cells_ ? cell_pixel : plane_pixel;
  position_bytes_ = has_cells_ ? p_.sh * p_.sw * cell_pixel : is_copied_ ? plane_pixel : p_.ic;
  run_steps_ = (has_cells_ ? cell_run : plane_pixel) / kStep;
  columns_ = p_.ow() + window_columns_ - 1;
  copies_rows_ = has_cells_ && p_.sh == 1 && cell_pixel == p_.ic && p_.x == DType::u8;
  if (p_.sw == 1) {
    // What a window reads beyond its row may be the next row's left border, where both are border.
    const std::int64_t right_border = columns_ - (p_.iw + p_.pl);
    columns_ -= std::clamp<std::int64_t>(std::min(p_.pl, right_border), 0, window_columns_ - 1);
  }
}

void TileInput::choose_bands() {
  const std::int64_t planes = has_cells_ || is_seamless_ ? 1 : p_.sh * p_.sw;
  const std::int64_t row_bytes = is_copied_ ? planes * columns_ * position_bytes_ : 0;
  const std::int64_t border = (window_rows_ - 1) * row_bytes;
  const auto fits = [&](std::int64_t rows) {
    return rows * row_bytes + border <= kBandBytes && rows * columns_ <= kBandPositions;
  };
  band_rows_ = 1;
  while (band_rows_ < p_.oh() && fits(band_rows_ + 1)) ++band_rows_;
  // Bands of an image as even as can be.
  const std::int64_t bands = (p_.oh() + band_rows_ - 1) / band_rows_;
  band_rows_ = (p_.oh() + bands - 1) / bands;
  // A row more: what windows of the last row read beyond it.
  const std::int64_t positions = (band_rows_ + window_rows_) * columns_;
  phase_bytes_ = has_cells_ ? pixel_bytes_ : positions * position_bytes_;
  strip_bytes_ = rounded_up(planes * positions * position_bytes_ + kStep, kStep);
  placed_image_bytes_ =
      rounded_up(planes * (p_.oh() + window_rows_) * columns_ * position_bytes_ + kStep, kStep);
  if (band_rows_ < p_.oh()) return;
  const std::int64_t by_bytes =
      is_copied_ ? kBandBytes / std::max<std::int64_t>(strip_bytes_, 1) : kBandPositions;
  const std::int64_t by_positions = kBandPositions / std::max<std::int64_t>(band_rows_ * columns_, 1);
  placed_images_ = std::max<std::int64_t>(1, by_positions);
  band_images_ = std::max<std::int64_t>(1, std::min(by_bytes, by_positions));
}

void TileInput::list_steps() {
  const std::int64_t row_bytes = columns_ * position_bytes_;
  const auto add_run = [&](std::int64_t begin) {
    for (std::int64_t i = 0; i < run_steps_; ++i) steps_.push_back(begin + i * kStep);
  };
  if (has_cells_) {
    for (std::int64_t row = 0; row < window_rows_; ++row) add_run(row * row_bytes);
    return;
  }
  for (std::int64_t ky = 0; ky < p_.kh; ++ky) {
    for (std::int64_t kx = 0; kx < p_.kw; ++kx) {
      const std::int64_t y = ky * p_.dh, x = kx * p_.dw;
      const std::int64_t phase = y % p_.sh * p_.sw + x % p_.sw;
      add_run(phase * phase_bytes_ + y / p_.sh * row_bytes + x / p_.sw * position_bytes_);
    }
  }
}

TileInput::Place TileInput::place_of(std::int64_t ic, std::int64_t ky, std::int64_t kx) const noexcept {
  if (!has_cells_) {
    return {(ky * p_.kw + kx) * run_steps_ + ic / kStep, ic % kStep};
  }
  const std::int64_t y = ky * p_.dh, x = kx * p_.dw;
  const std::int64_t phase = y % p_.sh * p_.sw + x % p_.sw;
  const std::int64_t byte = x / p_.sw * position_bytes_ + phase * pixel_bytes_ + ic;
  return {y / p_.sh * run_steps_ + byte / kStep, byte % kStep};
}

TileInput::Band TileInput::band(std::int64_t row, std::int64_t end, bool is_placed) const noexcept {
  const std::int64_t image = row / p_.oh(), first = row % p_.oh();
  if (first == 0 && end - row >= p_.oh() && band_rows_ == p_.oh()) {
    return {image, std::min(is_placed ? placed_images_ : band_images_, (end - row) / p_.oh()), 0, p_.oh()};
  }
  return {image, 1, first, std::min({band_rows_, p_.oh() - first, end - row})};
}

std::int64_t TileInput::positions(const Band& b) const noexcept {
  if (is_seamless_) return b.images * b.rows * p_.ow();
  return (b.rows - 1) * columns_ + p_.ow();
}

void TileInput::keep_inside(std::span<const std::uint8_t*> tiles, std::int64_t rows, const std::byte* x_end,
                            std::byte* copy) const noexcept {
  if (is_copied_ || p_.ic % kStep == 0) return;
  const auto* const end = reinterpret_cast<const std::uint8_t*>(x_end);
  const std::int64_t tile_bytes = (rows - 1) * position_bytes_ + run_steps_ * kStep;
  std::size_t first = tiles.size();
  while (first > 0 && end - tiles[first - 1] < tile_bytes) --first;
  if (first == tiles.size()) return;
  const std::uint8_t* const begin = tiles[first];
  std::memcpy(copy, begin, static_cast<std::size_t>(end - begin));
  for (const std::uint8_t*& tile : tiles.subspan(first)) {
    tile = reinterpret_cast<const std::uint8_t*>(copy) + (tile - begin);
  }
}

std::int64_t TileInput::copy_bytes() const noexcept {
  // What `keep_inside` copies is shorter than a tile; a tile that begins near its end reads on.
  if (!is_copied_) return p_.ic % kStep == 0 ? 0 : 2 * (kStep / 4 * position_bytes_ + run_steps_ * kStep);
  return band_images_ * strip_bytes_ + kStep * kStep;
}

std::int64_t TileInput::positions_behind() const noexcept {
  return std::max<std::int64_t>(p_.ow() + window_columns_ - 1 - columns_, 0);
}

std::int64_t TileInput::most_positions() const noexcept {
  return (is_seamless_ ? band_images_ : 1) * band_rows_ * columns_;
}

bool TileInput::uses_row_phase(std::int64_t i) const noexcept {
  for (std::int64_t ky = 0; ky < p_.kh; ++ky) {
    if (ky * p_.dh % p_.sh == i) return true;
  }
  return false;
}

bool TileInput::uses_column_phase(std::int64_t j) const noexcept {
  for (std::int64_t kx = 0; kx < p_.kw; ++kx) {
    if (kx * p_.dw % p_.sw == j) return true;
  }
  return false;
}

const std::uint8_t* TileInput::place(const Band& b, const std::byte* x, std::byte* copy) const noexcept {
  const std::int64_t image_bytes = p_.ih * p_.iw * p_.ic;
  if (!is_copied_) {
    return reinterpret_cast<const std::uint8_t*>(x + b.first_image * image_bytes +
                                                 b.first_row * p_.iw * p_.ic);
  }
  const std::int64_t step = is_seamless_ ? b.rows * columns_ * position_bytes_ : strip_bytes_;
  for (std::int64_t i = 0; i < b.images; ++i) {
    copy_strip(b, x + (b.first_image + i) * image_bytes, copy + i * step);
  }
  return reinterpret_cast<const std::uint8_t*>(copy);
}

std::optional<PixelLayout> TileInput::layout() const {
  const std::int64_t rows = p_.oh() + window_rows_ - 1;
  const bool is_whole = (has_cells_ || band_rows_ == p_.oh()) && (p_.ih - 1 + p_.pt) / p_.sh < rows &&
                        (p_.iw - 1 + p_.pl) / p_.sw < columns_;
  if (!is_copied_ || is_seamless_ || p_.x != DType::u8 || !is_whole) return std::nullopt;
  PixelLayout layout;
  for (std::int64_t y = p_.pt; y < p_.pt + p_.ih; ++y)
    layout.row.push_back(y % p_.sh * p_.sw * phase_bytes_ + y / p_.sh * columns_ * position_bytes_);
  for (std::int64_t x = p_.pl; x < p_.pl + p_.iw; ++x)
    layout.column.push_back(x % p_.sw * phase_bytes_ + x / p_.sw * position_bytes_);
  // Phases of columns follow each other within a position, or there is but one.
  if (p_.sw == 1 || phase_bytes_ * p_.sw == position_bytes_) layout.column_step = position_bytes_ / p_.sw;
  layout.channels = p_.ic;
  layout.images = p_.n;
  layout.image_bytes = placed_image_bytes_;
  layout.bytes_beyond = kStep * kStep;
  layout.border_value = static_cast<std::uint8_t>(zero_point_);

  // The border is what lies between pixels, and behind the last row what its last windows read.
  std::vector<bool> is_pixel(static_cast<std::size_t>(placed_image_bytes_ / pixel_bytes_ + 1));
  for (const std::int64_t row : layout.row) {
    for (const std::int64_t column : layout.column)
      is_pixel[static_cast<std::size_t>((row + column) / pixel_bytes_)] = true;
  }
  const std::int64_t phases = has_cells_ ? 1 : p_.sh * p_.sw;
  const std::int64_t phase_end = (rows * columns_ + positions_behind()) * position_bytes_;
  for (std::int64_t phase = 0; phase < phases; ++phase) {
    const std::int64_t begin = phase * phase_bytes_;
    for (std::int64_t at = begin; at < begin + phase_end; at += pixel_bytes_) {
      if (is_pixel[static_cast<std::size_t>(at / pixel_bytes_)]) continue;
      if (!layout.border.empty() && layout.border.back().end == at) {
        layout.border.back().end += pixel_bytes_;
      } else {
        layout.border.push_back({at, at + pixel_bytes_});
      }
    }
  }
  return layout;
}

void TileInput::copy_strip(const Band& b, const std::byte* image, std::byte* to) const noexcept {
  const std::int64_t rows = b.rows + window_rows_ - 1;
  if (copies_rows_) return copy_rows(b.first_row - p_.pt, rows, image, to);
  if (holds_rgb_cells()) return copy_rgb_cells(2 * b.first_row - p_.pt, rows, image, to);
  for (std::int64_t i = 0; i < p_.sh; ++i) {
    if (!uses_row_phase(i)) continue;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t iy = (b.first_row + row) * p_.sh + i - p_.pt;
      const std::byte* from = iy >= 0 && iy < p_.ih ? image + iy * p_.iw * p_.ic : nullptr;
      for (std::int64_t j = 0; j < p_.sw; ++j) {
        if (!uses_column_phase(j)) continue;
        copy_row(from, j, to + (i * p_.sw + j) * phase_bytes_ + row * columns_ * position_bytes_);
      }
    }
    // The border that the last row's last windows share with the row after it.
    if (is_seamless_) continue;
    for (std::int64_t j = 0; j < p_.sw; ++j) {
      std::byte* end = to + (i * p_.sw + j) * phase_bytes_ + rows * columns_ * position_bytes_;
      for (std::int64_t x = 0; x < positions_behind(); ++x) {
        std::memset(end + x * position_bytes_, zero_point_, static_cast<std::size_t>(pixel_bytes_));
      }
    }
  }
}

/// Rows [first, first + count) of the image, which lie in the copy as they are.
void TileInput::copy_rows(std::int64_t first, std::int64_t count, const std::byte* image,
                          std::byte* to) const noexcept {
  const auto fill = [&](std::byte* begin, std::int64_t bytes) {
    with_constant_size(bytes, [&](auto size) { std::memset(begin, zero_point_, size); });
  };
  const std::int64_t row_bytes = columns_ * position_bytes_;
  const std::int64_t left = std::min(p_.pl * p_.ic, row_bytes);
  const std::int64_t inside = std::min(p_.iw * p_.ic, row_bytes - left);
  for (std::int64_t y = first; y < first + count; ++y, to += row_bytes) {
    if (y < 0 || y >= p_.ih) {
      fill(to, row_bytes);
      continue;
    }
    fill(to, left);
    std::memcpy(to + left, image + y * p_.iw * p_.ic, static_cast<std::size_t>(inside));
    if (left + inside < row_bytes) fill(to + left + inside, row_bytes - left - inside);
  }
  // The border that the last row's last windows share with the row after it.
  if (positions_behind() > 0) fill(to, positions_behind() * position_bytes_);
}

/// One row of positions of a column phase; `row` nullptr: border.
void TileInput::copy_row(const std::byte* row, std::int64_t column_phase, std::byte* to) const noexcept {
  // Input columns first_x, first_x + sw, ... ; those inside are positions [before, inside_end).
  const std::int64_t first_x = column_phase - p_.pl;
  std::int64_t before = first_x < 0 ? (-first_x + p_.sw - 1) / p_.sw : 0;
  std::int64_t inside_end = p_.iw > first_x ? (p_.iw - 1 - first_x) / p_.sw + 1 : 0;
  inside_end = std::clamp<std::int64_t>(inside_end, 0, columns_);
  before = std::min(before, inside_end);
  if (row == nullptr) before = inside_end = 0;
  const auto fill = [&](std::int64_t begin, std::int64_t end) {
    if (position_bytes_ == pixel_bytes_ && end > begin) {
      std::memset(to + begin * pixel_bytes_, zero_point_,
                  static_cast<std::size_t>((end - begin) * pixel_bytes_));
      return;
    }
    for (std::int64_t x = begin; x < end; ++x) {
      std::memset(to + x * position_bytes_, zero_point_, static_cast<std::size_t>(pixel_bytes_));
    }
  };
  fill(0, before);
  if (inside_end > before) {
    copy_pixels(row + (first_x + before * p_.sw) * p_.ic, p_.sw * p_.ic, inside_end - before,
                to + before * position_bytes_);
  }
  fill(inside_end, columns_);
}

bool TileInput::holds_rgb_cells() const noexcept {
  return has_cells_ && p_.ic == 3 && p_.sh == 2 && p_.sw == 2 && window_rows_ > 1 && window_columns_ > 1;
}

/// `count` rows of cells, the first from image row `first` on: cells hold two pixels each of two rows of
/// three channels, of 4 bytes, whose last ones meet weights of zero.
void TileInput::copy_rgb_cells(std::int64_t first, std::int64_t count, const std::byte* image,
                               std::byte* to) const noexcept {
  constexpr std::int64_t kPixel = 3, kCell = 16;
  const auto row_at = [&](std::int64_t y) {
    return y >= 0 && y < p_.ih ? image + y * p_.iw * kPixel : nullptr;
  };
  const __m128i apart = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  const std::uint8_t flip = flip_to_u8(p_.x);
  const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
  const auto pixels_at = [&](const std::byte* at) {
    const __m128i stored = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return _mm_shuffle_epi8(_mm_xor_si128(stored, flips), apart);
  };
  // Cells [begin, end) of a row may be read 16 bytes at a time, two cells each: from pixels with five behind
  // them.
  const std::int64_t begin = std::min((p_.pl + 1) / 2, columns_);
  const std::int64_t reading = p_.iw < 6 ? begin : (p_.iw - 6 + p_.pl) / 2 + 1;
  const std::int64_t end = std::min(std::max(reading, begin), columns_ - 1);
  for (std::int64_t row = 0; row < count; ++row, to += columns_ * kCell) {
    const std::byte* const rows[] = {row_at(first + 2 * row), row_at(first + 2 * row + 1)};
    const auto copy_cell = [&](std::int64_t at) {
      std::memset(to + at * kCell, zero_point_, kCell);
      for (std::int64_t i = 0; i < 2; ++i) {
        for (std::int64_t x = std::max<std::int64_t>(2 * at - p_.pl, 0);
             rows[i] != nullptr && x < std::min(2 * at - p_.pl + 2, p_.iw); ++x) {
          std::byte* const pixel = to + at * kCell + i * 8 + (x + p_.pl - 2 * at) * 4;
          for (std::int64_t c = 0; c < kPixel; ++c) pixel[c] = rows[i][x * kPixel + c] ^ std::byte{flip};
        }
      }
    };
    std::int64_t at = 0;
    if (rows[0] != nullptr && rows[1] != nullptr) {
      for (; at < begin; ++at) copy_cell(at);
      for (; at < end; at += 2) {
        const std::int64_t x = (2 * at - p_.pl) * kPixel;
        const __m128i upper = pixels_at(rows[0] + x), lower = pixels_at(rows[1] + x);
        auto* const cells = reinterpret_cast<__m128i*>(to + at * kCell);
        _mm_storeu_si128(cells, _mm_unpacklo_epi64(upper, lower));
        _mm_storeu_si128(cells + 1, _mm_unpackhi_epi64(upper, lower));
      }
    }
    for (; at < columns_; ++at) copy_cell(at);
  }
}

void TileInput::copy_pixels(const std::byte* from, std::int64_t from_bytes, std::int64_t count,
                            std::byte* to) const noexcept {
  if (p_.x == DType::s8) {
    const std::int64_t channels = p_.ic;
    const bool is_dense = from_bytes == channels && position_bytes_ == channels;
    const std::int64_t run = is_dense ? count * channels : channels;
    for (std::int64_t i = 0; i < (is_dense ? 1 : count); ++i, from += from_bytes, to += position_bytes_)
      copy_flipped(from, run, to);
  } else if (from_bytes == p_.ic && position_bytes_ == p_.ic) {
    std::memcpy(to, from, static_cast<std::size_t>(count * p_.ic));
  } else if (p_.ic == 3 && pixel_bytes_ >= 4) {
    // A fourth byte meets weights of zero; only the last pixel may not have one.
    for (std::int64_t i = 0; i + 1 < count; ++i) {
      std::memcpy(to + i * position_bytes_, from + i * from_bytes, 4);
    }
    std::memcpy(to + (count - 1) * position_bytes_, from + (count - 1) * from_bytes, 3);
  } else {
    with_constant_size(p_.ic, [&](auto bytes) {
      for (std::int64_t i = 0; i < count; ++i) {
        std::memcpy(to + i * position_bytes_, from + i * from_bytes, bytes);
      }
    });
  }
}

}  // namespace octavo
