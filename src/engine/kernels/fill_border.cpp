#include "engine/kernels/fill_border.h"

#include <emmintrin.h>

#include <cstring>

namespace octavo {
namespace {

/// Most ranges of a border are a few pixels, for which a call takes longer than stores that may overlap.
void fill(std::byte* at, std::int64_t bytes, std::uint8_t value) noexcept {
  constexpr std::int64_t kVector = 16, kMany = 256;
  if (bytes > kMany || bytes < 4) {
    std::memset(at, value, static_cast<std::size_t>(bytes));
    return;
  }
  const __m128i values = _mm_set1_epi8(static_cast<char>(value));
  if (bytes < kVector) {
    const int four = _mm_cvtsi128_si32(values);
    for (std::int64_t i = 0; i + 4 < bytes; i += 4) std::memcpy(at + i, &four, 4);
    std::memcpy(at + bytes - 4, &four, 4);
    return;
  }
  for (std::int64_t i = 0; i + kVector < bytes; i += kVector)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at + i), values);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at + bytes - kVector), values);
}

}  // namespace

void fill_border(const KernelArgs& args, std::int64_t images, Share share) noexcept {
  const PixelLayout& layout = *args.output_layout;
  const bool is_residuals = args.residual_layout != nullptr && args.inputs[2] == args.output &&
                            args.residual_layout->border_value == layout.border_value;
  if (is_residuals) return;
  const Share::Range part = share.of(std::ssize(layout.border));
  for (std::int64_t image = 0; image < images * args.batch; ++image) {
    std::byte* const at = args.output + image * layout.image_bytes;
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const ByteRange& range = layout.border[static_cast<std::size_t>(i)];
      fill(at + range.begin, range.end - range.begin, layout.border_value);
    }
  }
}

}  // namespace octavo
