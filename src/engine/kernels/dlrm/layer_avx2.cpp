#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "engine/kernels/dlrm/work.h"

namespace octavo {
namespace {

/// Four inputs of a sample as s16, four times.
template <bool is_signed>
inline __m256i four_inputs(const std::uint8_t* from) {
  std::int32_t four;
  std::memcpy(&four, from, 4);
  const __m128i bytes = _mm_set1_epi32(four);
  return is_signed ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
}

/// Exact sums of one sample and 16 outputs: products in s16 x s16, pairs of sums in `sum`, 4 outputs each.
template <bool is_signed>
inline void multiply(const DlrmLayerWork& w, const std::uint8_t* src, const std::int8_t* weights,
                     __m256i (&sum)[4]) {
  for (__m256i& each : sum) each = _mm256_setzero_si256();
  for (std::int64_t step = 0; step < w.steps; ++step, src += kDlrmStepBytes, weights += kDlrmStepBytes) {
    for (std::int64_t quad = 0; quad < 16; ++quad) {
      const __m256i x = four_inputs<is_signed>(src + quad * 4);
#pragma GCC unroll 4
      for (std::int64_t i = 0; i < 4; ++i) {
        const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(weights + quad * 64 + 16 * i));
        sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(x, _mm256_cvtepi8_epi16(bytes)));
      }
    }
  }
}

/// Eight outputs from two vectors of pairs.
inline __m256i add_pairs(__m256i first, __m256i second) {
  return _mm256_permute4x64_epi64(_mm256_hadd_epi32(first, second), 0xD8);
}

inline void finish(const DlrmLayerWork& w, __m256i sum, std::int64_t output, std::uint8_t* dst) {
  const __m256 value = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(w.multiplier + output),
                                       _mm256_loadu_ps(w.bias + output));
  const __m256i q = _mm256_cvtps_epi32(value);
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1));
  const __m128i bytes =
      _mm_min_epu8(_mm_packus_epi16(words, words), _mm_set1_epi8(static_cast<char>(w.highest)));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(dst), bytes);
}

template <bool is_signed>
void multiply_layer(const DlrmLayerWork& w) {
  for (std::int64_t output = 0; output < w.panels * kDlrmPanel; output += 16) {
    const std::int64_t panel = output / kDlrmPanel;
    const std::int8_t* const weights =
        w.weights + panel * w.steps * kDlrmStepBytes + output % kDlrmPanel / 16 * 1024;
    for (std::int64_t m = 0; m < w.samples; ++m) {
      const std::int64_t group = m / kDlrmGroup, row = m % kDlrmGroup * kDlrmStep;
      __m256i sum[4];
      multiply<is_signed>(w, w.src + group * w.steps * kDlrmStepBytes + row, weights, sum);
      std::uint8_t* const dst = w.dst + (group * w.dst_steps + output / kDlrmStep) * kDlrmStepBytes + row;
      finish(w, add_pairs(sum[0], sum[1]), output, dst + output % kDlrmStep);
      finish(w, add_pairs(sum[2], sum[3]), output + 8, dst + output % kDlrmStep + 8);
    }
  }
}

}  // namespace

void dlrm_layer_avx2(const DlrmLayerWork& work) {
  work.src_is_signed != 0 ? multiply_layer<true>(work) : multiply_layer<false>(work);
}

void dlrm_input_avx2(const DlrmInputWork& w) {
  const float lowest = static_cast<float>(-w.zero_point), highest = static_cast<float>(255 - w.zero_point);
  for (std::int64_t m = 0; m < w.samples; ++m) {
    std::uint8_t* const sample =
        w.packed + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    for (std::int64_t i = 0; i < w.features; ++i) {
      const __m128 x = _mm_mul_ss(_mm_set_ss(w.dense[m * w.features + i]), _mm_set_ss(w.inverse_scale));
      const __m128 nearest = _mm_round_ss(x, x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      const __m128 inside = _mm_min_ss(_mm_set_ss(highest), _mm_max_ss(nearest, _mm_set_ss(lowest)));
      sample[i / kDlrmStep * kDlrmStepBytes + i % kDlrmStep] =
          static_cast<std::uint8_t>(_mm_cvtss_si32(inside) + w.zero_point);
    }
  }
}

void dlrm_last_avx2(const DlrmLastWork& w) {
  for (std::int64_t m = 0; m < w.samples; ++m) {
    const std::uint8_t* const src =
        w.src + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    __m256i sum = _mm256_setzero_si256();
    for (std::int64_t k = 0; k < w.steps * kDlrmStep; k += 16) {
      const __m128i x = _mm_load_si128(
          reinterpret_cast<const __m128i*>(src + k / kDlrmStep * kDlrmStepBytes + k % kDlrmStep));
      const auto* const weights = reinterpret_cast<const __m128i*>(w.weights + k);
      sum = _mm256_add_epi32(
          sum, _mm256_madd_epi16(w.src_is_signed != 0 ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x),
                                 _mm256_cvtepi8_epi16(_mm_loadu_si128(weights))));
    }
    alignas(32) std::int32_t each[8];
    _mm256_store_si256(reinterpret_cast<__m256i*>(each), sum);
    std::int32_t total = 0;
    for (std::int32_t part : each) total += part;
    w.dst[m] = __builtin_fmaf(static_cast<float>(total), w.multiplier, w.bias);
  }
}

}  // namespace octavo
