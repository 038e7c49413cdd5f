#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/direct_block.h"

namespace octavo {
namespace {

inline __m512i stored(__m512i sum, const OutputRule& rule, std::int64_t channel) {
  __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(rule.bias + channel), _mm512_set1_ps(rule.bias_factor),
                             _mm512_cvtepi32_ps(sum));
  v = _mm512_mul_ps(v, _mm512_loadu_ps(rule.multiplier + channel));
  v = _mm512_min_ps(_mm512_set1_ps(rule.highest), _mm512_max_ps(v, _mm512_set1_ps(rule.lowest)));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.zero_point));
}

/// Adds 4 taps of 64 channels to the 4 accumulators. Interleaving bytes, then pairs of bytes, leaves the
/// channels 16 * lane + 4 * j + i in accumulator j.
inline void add_taps(__m512i (&sum)[4], const std::uint8_t* window, const std::int64_t* taps, __mmask64 there,
                     const std::uint8_t* weights) {
  const __m512i x0 = _mm512_maskz_loadu_epi8(there, window + taps[0]);
  const __m512i x1 = _mm512_maskz_loadu_epi8(there, window + taps[1]);
  const __m512i x2 = _mm512_maskz_loadu_epi8(there, window + taps[2]);
  const __m512i x3 = _mm512_maskz_loadu_epi8(there, window + taps[3]);
  const __m512i x01_low = _mm512_unpacklo_epi8(x0, x1);
  const __m512i x01_high = _mm512_unpackhi_epi8(x0, x1);
  const __m512i x23_low = _mm512_unpacklo_epi8(x2, x3);
  const __m512i x23_high = _mm512_unpackhi_epi8(x2, x3);
  sum[0] = _mm512_dpbusd_epi32(sum[0], _mm512_unpacklo_epi16(x01_low, x23_low), _mm512_loadu_si512(weights));
  sum[1] =
      _mm512_dpbusd_epi32(sum[1], _mm512_unpackhi_epi16(x01_low, x23_low), _mm512_loadu_si512(weights + 64));
  sum[2] = _mm512_dpbusd_epi32(sum[2], _mm512_unpacklo_epi16(x01_high, x23_high),
                               _mm512_loadu_si512(weights + 128));
  sum[3] = _mm512_dpbusd_epi32(sum[3], _mm512_unpackhi_epi16(x01_high, x23_high),
                               _mm512_loadu_si512(weights + 192));
}

/// The low bytes of 64 results, in order.
inline __m512i low_bytes(const __m512i (&y)[4]) {
  const __m512i mask = _mm512_set1_epi16(0xFF);
  const __m512i low = _mm512_and_si512(_mm512_packs_epi32(y[0], y[1]), mask);
  const __m512i high = _mm512_and_si512(_mm512_packs_epi32(y[2], y[3]), mask);
  return _mm512_packus_epi16(low, high);
}

}  // namespace

void depthwise_avx512_vnni(const DepthwiseBlock& block) {
  for (std::int64_t channel = 0; channel < block.channels; channel += 64) {
    const std::int64_t left = block.channels - channel;
    const __mmask64 there = left < 64 ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
    for (std::int64_t pixel = 0; pixel < block.pixels; ++pixel) {
      __m512i sum[4];
      for (int j = 0; j < 4; ++j) sum[j] = _mm512_loadu_si512(block.rule.start + channel + 16 * j);
      const std::uint8_t* weights = block.weights + channel / 64 * block.tap_groups * 256;
      for (std::int64_t group = 0; group < block.tap_groups; ++group, weights += 256) {
        add_taps(sum, block.windows[pixel] + channel, block.taps + 4 * group, there, weights);
      }
      for (int j = 0; j < 4; ++j) sum[j] = stored(sum[j], block.rule, channel + 16 * j);
      _mm512_mask_storeu_epi8(block.dst + pixel * block.dst_stride + channel, there, low_bytes(sum));
    }
  }
}

}  // namespace octavo
