#include "engine/kernels/conv2d/direct_ymm.h"

namespace octavo {
namespace {

// Input and weights are s16, so that vpmaddwd's pair sums (below 2^17) and 32-bit adds are exact for any
// 8-bit operands; vpmaddubsw would saturate.
struct Pairs {
  static __m256i add(__m256i sum, __m256i x, __m256i weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, weights));
  }
};

/// One pixel's 16 channels; accumulator 0 holds channels 0-3 and 8-11, accumulator 1 the others, which is how
/// interleaving two taps leaves them.
inline void depthwise_pixel(const DepthwiseBlock& b, std::int64_t pixel, std::int64_t channel) {
  const std::uint8_t* window = b.windows[pixel] + 2 * channel;
  const std::uint8_t* weights = b.weights + channel / 16 * b.tap_groups * 64;
  __m256i sum0 = load(b.rule.exact.start + channel);
  __m256i sum1 = load(b.rule.exact.start + channel + 8);
  for (std::int64_t group = 0; group < b.tap_groups; ++group, weights += 64) {
    const __m256i x0 = load(window + b.taps[2 * group]);
    const __m256i x1 = load(window + b.taps[2 * group + 1]);
    sum0 = _mm256_add_epi32(sum0, _mm256_madd_epi16(_mm256_unpacklo_epi16(x0, x1), load(weights)));
    sum1 = _mm256_add_epi32(sum1, _mm256_madd_epi16(_mm256_unpackhi_epi16(x0, x1), load(weights + 32)));
  }
  const __m256i words =
      low_bytes_as_words(stored(sum0, b.rule.exact, channel), stored(sum1, b.rule.exact, channel + 8));
  const std::int64_t left = b.channels - channel;
  store_bytes(b.dst + pixel * b.dst_stride + channel, left < 16 ? left : 16, as_bytes(words));
}

}  // namespace

void multiply_avx2(const PanelBlock& block) { multiply_panel<Pairs>(block); }

void depthwise_avx2(const DepthwiseBlock& block) {
  for (std::int64_t channel = 0; channel < block.channels; channel += 16) {
    for (std::int64_t pixel = 0; pixel < block.pixels; ++pixel) depthwise_pixel(block, pixel, channel);
  }
}

}  // namespace octavo
