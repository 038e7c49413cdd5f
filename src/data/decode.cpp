#include "data/decode.h"

#include <array>
#include <cstring>

#include "base/fail.h"
#include "base/mapped_file.h"
#include "data/jpeg.h"
#include "data/png.h"

namespace octavo {
namespace {

constexpr std::array<unsigned char, 3> kJpegStart{0xff, 0xd8, 0xff};
constexpr std::array<unsigned char, 8> kPngStart{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

template <std::size_t N>
bool starts_with(std::span<const std::byte> bytes, const std::array<unsigned char, N>& start) {
  return bytes.size() >= N && std::memcmp(bytes.data(), start.data(), N) == 0;
}

}  // namespace

Image decode_image(std::span<const std::byte> bytes) {
  if (starts_with(bytes, kJpegStart)) return decode_jpeg(bytes);
  if (starts_with(bytes, kPngStart)) return decode_png(bytes);
  if (bytes.empty()) fail(ErrorCode::invalid_model, "the picture has no bytes");
  fail(ErrorCode::unsupported, "neither JPEG nor PNG: the picture starts with byte 0x{:02x}",
       std::to_integer<unsigned>(bytes[0]));
}

Image read_image(const std::filesystem::path& path) {
  const MappedFile file(path);
  try {
    return decode_image(file.bytes());
  } catch (const Error& error) {
    throw error.within(path.string());
  }
}

}  // namespace octavo
