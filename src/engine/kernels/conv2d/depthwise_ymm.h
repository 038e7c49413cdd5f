#pragma once
#include "engine/kernels/conv2d/direct_ymm.h"

// Depthwise windows of bytes in vectors of 256 bits, for files compiled for AVX-VNNI, in tests for
// AVX-512 VNNI. All of it has internal linkage.

namespace octavo {
namespace {

/// One pixel's 32 channels, or those that are left: bytes of 4 taps interleaved become dwords, which leaves
/// the channels 16 * lane + 4 * j + i in vector j.
template <class Products>
void depthwise_pixel(const DepthwiseBlock& b, std::int64_t pixel, std::int64_t channel) {
  const std::uint8_t* window = b.windows[pixel] + channel;
  const std::uint8_t* weights = b.weights + channel * b.tap_groups * 4;
  __m256i sum[4];
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < 4; ++j) sum[j] = load(b.rule.exact.start + channel + 8 * j);
  for (const std::int64_t *tap = b.taps, *end = tap + 4 * b.tap_groups; tap < end; tap += 4, weights += 128) {
    const __m256i x0 = load(window + tap[0]), x1 = load(window + tap[1]);
    const __m256i x2 = load(window + tap[2]), x3 = load(window + tap[3]);
    const __m256i x01_low = _mm256_unpacklo_epi8(x0, x1), x01_high = _mm256_unpackhi_epi8(x0, x1);
    const __m256i x23_low = _mm256_unpacklo_epi8(x2, x3), x23_high = _mm256_unpackhi_epi8(x2, x3);
    sum[0] = Products::add(sum[0], _mm256_unpacklo_epi16(x01_low, x23_low), load(weights));
    sum[1] = Products::add(sum[1], _mm256_unpackhi_epi16(x01_low, x23_low), load(weights + 32));
    sum[2] = Products::add(sum[2], _mm256_unpacklo_epi16(x01_high, x23_high), load(weights + 64));
    sum[3] = Products::add(sum[3], _mm256_unpackhi_epi16(x01_high, x23_high), load(weights + 96));
  }
  __m256i y[4];
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < 4; ++j) y[j] = stored(sum[j], b.rule.exact, channel + 8 * j);
  const __m256i bytes = _mm256_packus_epi16(low_bytes_as_words(y[0], y[1]), low_bytes_as_words(y[2], y[3]));
  std::uint8_t* const dst = b.dst + pixel * b.dst_stride + channel;
  const std::int64_t left = b.channels - channel;
  if (left >= 32) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), bytes);
    return;
  }
  alignas(32) std::uint8_t last[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(last), bytes);
  __builtin_memcpy(dst, last, static_cast<std::size_t>(left));
}

/// Reads whole vectors: up to 31 bytes beyond the last channel of a tap.
template <class Products>
void depthwise_by_quads(const DepthwiseBlock& block) {
  for (std::int64_t channel = 0; channel < block.channels; channel += 32) {
    for (std::int64_t pixel = 0; pixel < block.pixels; ++pixel)
      depthwise_pixel<Products>(block, pixel, channel);
  }
}

}  // namespace
}  // namespace octavo
