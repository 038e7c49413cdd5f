#include "engine/kernels/pixel_layout.h"

#include <cstring>

#include "engine/kernels/kernel.h"

namespace octavo {

void fill_border(const KernelArgs& args, std::int64_t images, Share share) noexcept {
  const PixelLayout& layout = *args.output_layout;
  const Share::Range part = share.of(std::ssize(layout.border));
  for (std::int64_t image = 0; image < images * args.batch; ++image) {
    std::byte* const at = args.output + image * layout.image_bytes;
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      const ByteRange& range = layout.border[static_cast<std::size_t>(i)];
      std::memset(at + range.begin, layout.border_value, static_cast<std::size_t>(range.end - range.begin));
    }
  }
}

}  // namespace octavo
