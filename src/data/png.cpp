#include "data/png.h"

#include <spng.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/fail.h"
#include "data/decode.h"

namespace octavo {
namespace {

/// Deflate's own bound, with room for a picture of a few bytes.
constexpr std::uint64_t kMostDeflateRatio = 1032;
constexpr std::uint64_t kSmallPicture = 65536;
/// Colour profiles and texts are of no use here; larger ones are refused.
constexpr std::size_t kMostChunkBytes = std::size_t{16} << 20U;

struct FreeReader {
  void operator()(spng_ctx* png) const noexcept { spng_ctx_free(png); }
};
using Reader = std::unique_ptr<spng_ctx, FreeReader>;

void require(int code) {
  if (code != SPNG_OK) fail(ErrorCode::invalid_model, "damaged PNG: {}", spng_strerror(code));
}

int channels_of(const spng_ihdr& header) {
  switch (header.color_type) {
    case SPNG_COLOR_TYPE_TRUECOLOR:
      return 3;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
      return 2;
    case SPNG_COLOR_TYPE_TRUECOLOR_ALPHA:
      return 4;
    default:
      return 1;
  }
}

void check_size(const spng_ihdr& header, std::size_t file_bytes) {
  const std::int64_t pixels = std::int64_t{header.width} * header.height;
  if (pixels > kMostPixels) {
    fail(ErrorCode::invalid_model, "PNG of {} x {} pixels, at most {} are read", header.width, header.height,
         kMostPixels);
  }
  const auto bits = static_cast<std::uint64_t>(pixels * header.bit_depth * channels_of(header));
  if (bits / 8 > kSmallPicture && bits / 8 / kMostDeflateRatio > file_bytes) {
    fail(ErrorCode::invalid_model, "PNG claims {} x {} pixels in {} bytes", header.width, header.height,
         file_bytes);
  }
}

/// The palette's colours; an index beyond it is black.
std::array<spng_plte_entry, 256> palette_of(spng_ctx* png) {
  spng_plte stored{};
  require(spng_get_plte(png, &stored));
  std::array<spng_plte_entry, 256> colours{};
  std::copy_n(stored.entries, std::min<std::uint32_t>(stored.n_entries, 256), colours.begin());
  return colours;
}

/// How one row of stored samples becomes RGB.
struct RowFormat {
  int depth;
  int channels;
  bool is_palette;
  std::array<spng_plte_entry, 256> palette;
};

/// Sample x of a row with 1, 2, 4 or 8 bits each, the highest bits first.
unsigned packed_sample(const std::uint8_t* row, std::int64_t x, int depth) {
  const std::int64_t bit = x * depth;
  const auto shift = static_cast<unsigned>(8 - depth - bit % 8);
  return (unsigned{row[bit / 8]} >> shift) & ((1U << static_cast<unsigned>(depth)) - 1U);
}

void rgb_from_palette(const RowFormat& format, const std::uint8_t* src, std::int64_t width,
                      std::uint8_t* dst) {
  for (std::int64_t x = 0; x < width; ++x, dst += 3) {
    const spng_plte_entry& colour = format.palette[packed_sample(src, x, format.depth)];
    dst[0] = colour.red;
    dst[1] = colour.green;
    dst[2] = colour.blue;
  }
}

/// 1, 2 and 4 bits are scaled to 0..255. 16 bits without alpha are clipped at 255, not scaled: Pillow holds
/// them as integers, and its conversion to RGB clips.
void rgb_from_gray(const RowFormat& format, const std::uint8_t* src, std::int64_t width, std::uint8_t* dst) {
  const unsigned scale = format.depth < 8 ? 255U / ((1U << static_cast<unsigned>(format.depth)) - 1U) : 1U;
  for (std::int64_t x = 0; x < width; ++x, dst += 3) {
    const bool is_above_255 = format.depth == 16 && src[2 * x] != 0;
    const unsigned gray = is_above_255         ? 255U
                          : format.depth == 16 ? src[2 * x + 1]
                                               : packed_sample(src, x, format.depth) * scale;
    std::fill_n(dst, 3, static_cast<std::uint8_t>(gray));
  }
}

/// Colour, or gray with alpha, at 8 or 16 bits: the high byte of each sample; alpha is dropped.
void rgb_from_channels(const RowFormat& format, const std::uint8_t* src, std::int64_t width,
                       std::uint8_t* dst) {
  const int sample_bytes = format.depth / 8;
  const int green = format.channels > 2 ? sample_bytes : 0;
  for (std::int64_t x = 0; x < width; ++x, dst += 3, src += sample_bytes * format.channels) {
    dst[0] = src[0];
    dst[1] = src[green];
    dst[2] = src[2 * green];
  }
}

void rgb_from_row(const RowFormat& format, const std::uint8_t* src, std::int64_t width, std::uint8_t* dst) {
  if (format.is_palette) return rgb_from_palette(format, src, width, dst);
  if (format.channels == 1) return rgb_from_gray(format, src, width, dst);
  rgb_from_channels(format, src, width, dst);
}

Reader open_reader(std::span<const std::byte> bytes) {
  Reader png(spng_ctx_new(0));
  if (png == nullptr) fail(ErrorCode::io, "no memory to read a PNG");
  require(spng_set_image_limits(png.get(), static_cast<std::uint32_t>(kMostPixels),
                                static_cast<std::uint32_t>(kMostPixels)));
  require(spng_set_chunk_limits(png.get(), kMostChunkBytes, kMostChunkBytes));
  require(spng_set_png_buffer(png.get(), bytes.data(), bytes.size()));
  return png;
}

}  // namespace

Image decode_png(std::span<const std::byte> bytes) {
  const Reader png = open_reader(bytes);
  spng_ihdr header{};
  require(spng_get_ihdr(png.get(), &header));
  check_size(header, bytes.size());
  RowFormat format{header.bit_depth, channels_of(header), header.color_type == SPNG_COLOR_TYPE_INDEXED, {}};
  if (format.is_palette) format.palette = palette_of(png.get());
  std::size_t stored_bytes = 0;
  require(spng_decoded_image_size(png.get(), SPNG_FMT_RAW, &stored_bytes));
  std::vector<std::uint8_t> stored(stored_bytes);
  require(spng_decode_image(png.get(), stored.data(), stored.size(), SPNG_FMT_RAW, 0));
  Image image(header.width, header.height);
  const std::size_t row_bytes = stored_bytes / header.height;
  for (std::int64_t y = 0; y < image.height; ++y) {
    rgb_from_row(format, stored.data() + static_cast<std::size_t>(y) * row_bytes, image.width, image.row(y));
  }
  return image;
}

}  // namespace octavo
