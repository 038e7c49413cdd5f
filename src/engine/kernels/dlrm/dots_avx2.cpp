#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/dlrm/work.h"

namespace octavo {
namespace {

inline std::uint8_t* top_step(const DlrmDotsWork& w, std::int64_t sample, std::int64_t step) {
  return w.top + (sample / kDlrmGroup * w.top_steps + step) * kDlrmStepBytes +
         sample % kDlrmGroup * kDlrmStep;
}

inline std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::int64_t bytes) {
  __m256i sum = _mm256_setzero_si256();
  for (std::int64_t k = 0; k < bytes; k += 16) {
    const __m256i left = _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(a + k)));
    const __m256i right = _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(b + k)));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(left, right));
  }
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
}

/// The products that folds read, in tiles of sums as work.h says.
inline void multiply_sample(const DlrmDotsWork& w, const std::int8_t* features, std::int32_t* sums) {
  for (std::int64_t i = 0; i < w.vectors; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      sums[(dlrm_dot_tiles(i / 16) + j / 16) * 256 + i % 16 * 16 + j % 16] =
          dot(features + i * w.row_bytes, features + j * w.row_bytes, w.row_bytes);
    }
  }
}

inline void finish_sample(const DlrmDotsWork& w, std::int64_t sample, const std::int32_t* sums) {
  for (std::int64_t step = 0; step < w.fold_fours; ++step) {
    std::uint8_t* const dst = top_step(w, sample, w.row_bytes / kDlrmStep + step);
    for (std::int64_t i = 0; i < 64; ++i) {
      const std::int64_t quad = w.quad_order[16 * step + i / 4];
      const std::int64_t place = 4 * step + quad % 4, lane = quad / 4 * 4 + i % 4;
      const DlrmFold& fold = w.folds[place];
      const std::int32_t sum = sums[((fold.mask >> lane & 1U) != 0 ? fold.masked : fold.other) + lane];
      const float value = static_cast<float>(sum) * w.multiplier[16 * place + lane];
      const std::int32_t q = _mm_cvtss_si32(_mm_set_ss(value));
      dst[i] = static_cast<std::uint8_t>(q < -128 ? -128 : q > 127 ? 127 : q);
    }
  }
}

}  // namespace

void dlrm_dots_avx2(const DlrmDotsWork& w) {
  auto* const sums = reinterpret_cast<std::int32_t*>(w.scratch + 64);
  for (std::int64_t sample = 0; sample < w.samples; ++sample) {
    if (sample % kDlrmTurn == 0)
      w.fill(w.source, sample, w.samples - sample < kDlrmTurn ? w.samples - sample : kDlrmTurn);
    std::int8_t* const features = w.features + sample % kDlrmTurn * w.blocks * 16 * w.row_bytes;
    for (std::int64_t step = 0; step < w.row_bytes / kDlrmStep; ++step)
      __builtin_memcpy(features + step * kDlrmStep, top_step(w, sample, step), kDlrmStep);
    multiply_sample(w, features, sums);
    finish_sample(w, sample, sums);
  }
}

}  // namespace octavo
