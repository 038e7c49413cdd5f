#include "data/jpeg.h"

// jpeglib.h wants FILE declared before it, and jerror.h wants jpeglib.h.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <array>
#include <csetjmp>

#include "base/fail.h"
#include "data/decode.h"

namespace octavo {
namespace {

/// A block of 8x8 pixels costs at least two bits of a sequential scan and one of a progressive one: 512
/// pixels a byte. Refuses a header that claims a wall of pixels before memory is taken for it.
constexpr std::int64_t kMostPixelsPerByte = 1024;
/// Each scan of a progressive file costs time for the whole picture, however few bytes it has; real ones have
/// about ten.
constexpr int kMostScans = 100;

/// One decompression. libjpeg reports errors by calling back and expects not to be returned to: `on_error`
/// jumps to the setjmp in `run`. Between the two lie only libjpeg's frames and functions without destructors
/// to run.
struct Decoder {
  jpeg_decompress_struct jpeg{};  // libjpeg's callbacks find the Decoder through `jpeg.client_data`
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  std::jmp_buf escape{};
  std::array<char, JMSG_LENGTH_MAX> reason{};

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&jpeg); }
};

Decoder& decoder_of(j_common_ptr jpeg) { return *static_cast<Decoder*>(jpeg->client_data); }

[[noreturn]] void give_up(j_common_ptr jpeg) {
  Decoder& decoder = decoder_of(jpeg);
  (*jpeg->err->format_message)(jpeg, decoder.reason.data());
  std::longjmp(decoder.escape, 1);
}

/// Warnings that cost no pixel are passed over as Pillow does; the others mean damaged pixels.
void on_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
      return;
    default:
      give_up(jpeg);
  }
}

void ignore_source(j_decompress_ptr) {}

/// libjpeg asks for more only where the file was cut short.
boolean on_end_of_bytes(j_decompress_ptr jpeg) {
  jpeg->err->msg_code = JERR_INPUT_EOF;
  give_up(reinterpret_cast<j_common_ptr>(jpeg));
}

void skip_bytes(j_decompress_ptr jpeg, long count) {
  if (count <= 0) return;
  if (static_cast<unsigned long>(count) > jpeg->src->bytes_in_buffer) on_end_of_bytes(jpeg);
  jpeg->src->next_input_byte += count;
  jpeg->src->bytes_in_buffer -= static_cast<std::size_t>(count);
}

void prepare(Decoder& decoder, std::span<const std::byte> bytes) {
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = give_up;
  decoder.errors.emit_message = on_message;
  decoder.jpeg.client_data = &decoder;
  decoder.source.init_source = ignore_source;
  decoder.source.fill_input_buffer = on_end_of_bytes;
  decoder.source.skip_input_data = skip_bytes;
  decoder.source.resync_to_restart = jpeg_resync_to_restart;
  decoder.source.term_source = ignore_source;
  decoder.source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
  decoder.source.bytes_in_buffer = bytes.size();
}

/// Runs one step of plain libjpeg calls; Error when libjpeg gives up inside it.
void run(Decoder& decoder, void (*step)(Decoder&, Image&), Image& image) {
  if (setjmp(decoder.escape) == 0) {
    step(decoder, image);
    return;
  }
  fail(ErrorCode::invalid_model, "damaged JPEG: {}", decoder.reason.data());
}

void read_header(Decoder& decoder, Image&) {
  jpeg_create_decompress(&decoder.jpeg);
  decoder.jpeg.client_data = &decoder;
  decoder.jpeg.src = &decoder.source;
  jpeg_read_header(&decoder.jpeg, TRUE);
}

void check_size(const jpeg_decompress_struct& jpeg, std::size_t file_bytes) {
  const std::int64_t pixels = std::int64_t{jpeg.image_width} * jpeg.image_height;
  if (pixels > kMostPixels) {
    fail(ErrorCode::invalid_model, "JPEG of {} x {} pixels, at most {} are read", jpeg.image_width,
         jpeg.image_height, kMostPixels);
  }
  if (pixels / kMostPixelsPerByte > static_cast<std::int64_t>(file_bytes)) {
    fail(ErrorCode::invalid_model, "JPEG claims {} x {} pixels in {} bytes", jpeg.image_width,
         jpeg.image_height, file_bytes);
  }
}

/// Gray and CMYK are left to us; libjpeg turns everything else to RGB and YCCK to CMYK.
void choose_colours(jpeg_decompress_struct& jpeg) {
  switch (jpeg.num_components) {
    case 1:
      jpeg.out_color_space = JCS_GRAYSCALE;
      return;
    case 3:
      jpeg.out_color_space = JCS_RGB;
      return;
    case 4:
      jpeg.out_color_space = JCS_CMYK;
      return;
    default:
      fail(ErrorCode::unsupported, "JPEG with {} colour components", jpeg.num_components);
  }
}

/// Decodes every scan of a progressive file into libjpeg's buffers, but not endlessly many.
void read_scans(jpeg_decompress_struct& jpeg) {
  int progress = 0;
  while (progress != JPEG_REACHED_EOI) {
    progress = jpeg_consume_input(&jpeg);
    if (jpeg.input_scan_number > kMostScans) {
      jpeg.err->msg_code = JERR_BAD_PROGRESSION;
      give_up(reinterpret_cast<j_common_ptr>(&jpeg));
    }
  }
}

void read_gray(jpeg_decompress_struct& jpeg, Image& image) {
  while (jpeg.output_scanline < jpeg.output_height) {
    // The gray bytes are read into the row's last third and spread from its start; the writer never
    // overtakes.
    std::uint8_t* row = image.row(jpeg.output_scanline);
    std::uint8_t* gray = row + 2 * image.width;
    jpeg_read_scanlines(&jpeg, &gray, 1);
    for (std::int64_t x = 0; x < image.width; ++x) std::fill_n(row + 3 * x, 3, std::uint8_t{gray[x]});
  }
}

void read_rgb(jpeg_decompress_struct& jpeg, Image& image) {
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* row = image.row(jpeg.output_scanline);
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
}

/// a * b / 255, rounded to nearest, in integers.
int product(int a, int b) {
  const int t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/// The stored values are inverted (Adobe): k = 255 - stored k, and so on;  colour = (255 - k) - ink * (255 -
/// k) / 255.
void rgb_from_stored_cmyk(const JSAMPLE* cmyk, std::uint8_t* rgb) {
  const int light = cmyk[3];
  for (int c = 0; c < 3; ++c) {
    rgb[c] = static_cast<std::uint8_t>(std::clamp(light - product(255 - cmyk[c], light), 0, 255));
  }
}

void read_cmyk(jpeg_decompress_struct& jpeg, Image& image) {
  JSAMPARRAY line =
      (*jpeg.mem->alloc_sarray)(reinterpret_cast<j_common_ptr>(&jpeg), JPOOL_IMAGE, jpeg.output_width * 4, 1);
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* row = image.row(jpeg.output_scanline);
    jpeg_read_scanlines(&jpeg, line, 1);
    for (std::int64_t x = 0; x < image.width; ++x) rgb_from_stored_cmyk(line[0] + 4 * x, row + 3 * x);
  }
}

void read_pixels(Decoder& decoder, Image& image) {
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  jpeg.buffered_image = jpeg_has_multiple_scans(&jpeg);
  jpeg_start_decompress(&jpeg);
  if (jpeg.buffered_image) {
    read_scans(jpeg);
    jpeg_start_output(&jpeg, jpeg.input_scan_number);
  }
  switch (jpeg.out_color_space) {
    case JCS_GRAYSCALE:
      read_gray(jpeg, image);
      break;
    case JCS_CMYK:
      read_cmyk(jpeg, image);
      break;
    default:
      read_rgb(jpeg, image);
      break;
  }
  if (jpeg.buffered_image) jpeg_finish_output(&jpeg);
  jpeg_finish_decompress(&jpeg);
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes) {
  Decoder decoder;
  Image image;
  prepare(decoder, bytes);
  run(decoder, read_header, image);
  check_size(decoder.jpeg, bytes.size());
  choose_colours(decoder.jpeg);
  image = Image(decoder.jpeg.image_width, decoder.jpeg.image_height);
  run(decoder, read_pixels, image);
  return image;
}

}  // namespace octavo
