#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "data/image.h"

namespace octavo {

/// Larger pictures are refused before any memory is taken for them: 64 Mpixel are 192 MiB of RGB.
inline constexpr std::int64_t kMostPixels = std::int64_t{64} << 20U;

/// Decodes a JPEG or PNG, told apart by content, to the bytes that Pillow's `Image.open(f).convert("RGB")`
/// gives: JPEG by libjpeg's accurate integer DCT with smooth chroma upsampling; gray is copied to all
/// channels; CMYK is taken as Adobe writes it, inverted; transparency is dropped without blending; 16-bit
/// colour keeps its high byte. Error(invalid_model) when the picture is damaged or cut short, larger than
/// kMostPixels, or claims more pixels than its bytes can encode; Error(unsupported) when it is neither JPEG
/// nor PNG.
Image decode_image(std::span<const std::byte> bytes);

/// The same of a file; errors start with its path.
Image read_image(const std::filesystem::path& path);

}  // namespace octavo
