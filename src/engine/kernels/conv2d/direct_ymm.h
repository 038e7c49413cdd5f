#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/direct_block.h"

// The direct kernel in vectors of 256 bits, for files compiled for AVX2 or AVX-VNNI, in tests for AVX-512
// VNNI. All of it has internal linkage.

namespace octavo {
namespace {

constexpr int kPixels = 6;  // x 2 vectors of 8 channels = 12 accumulators, 2 weights, a broadcast, a product

enum class Form { stored, residual, real };

inline __m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

inline __m256i broadcast4(const std::uint8_t* from) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return _mm256_set1_epi32(bytes);
}

/// fma(bias, bias_factor, f32(sum)), times multiplier, clamped, rounded: a stored result.
inline __m256i stored(__m256i sum, const OutputRule& rule, std::int64_t channel) {
  __m256 v = _mm256_fmadd_ps(_mm256_loadu_ps(rule.bias + channel), _mm256_set1_ps(rule.bias_factor),
                             _mm256_cvtepi32_ps(sum));
  v = _mm256_mul_ps(v, _mm256_loadu_ps(rule.multiplier + channel));
  v = _mm256_min_ps(_mm256_set1_ps(rule.highest), _mm256_max_ps(v, _mm256_set1_ps(rule.lowest)));
  return _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(rule.zero_point));
}

/// A stored result and its residual, added as the rule says.
inline __m256 added(__m256 q, __m256 r, const OutputRule& rule) {
  const __m256 q_scale = _mm256_set1_ps(rule.q_scale), q_offset = _mm256_set1_ps(rule.q_offset);
  const __m256 r_scale = _mm256_set1_ps(rule.r_scale), r_offset = _mm256_set1_ps(rule.r_offset);
  if (rule.addition == Addition::result_first)
    return _mm256_fmadd_ps(q, q_scale, _mm256_fmadd_ps(r, r_scale, r_offset));
  if (rule.addition == Addition::residual_first)
    return _mm256_fmadd_ps(r, r_scale, _mm256_fmadd_ps(q, q_scale, q_offset));
  const __m256 sum =
      _mm256_add_ps(_mm256_fmadd_ps(q, q_scale, q_offset), _mm256_fmadd_ps(r, r_scale, r_offset));
  return _mm256_mul_ps(sum, _mm256_set1_ps(rule.inverse_scale));
}

inline __m256i with_residual(__m256i sum, const std::uint8_t* r8, const OutputRule& rule,
                             std::int64_t channel) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(r8));
  const __m256i r = rule.r_is_signed != 0 ? _mm256_cvtepi8_epi32(bytes) : _mm256_cvtepu8_epi32(bytes);
  __m256 v = added(_mm256_cvtepi32_ps(stored(sum, rule, channel)), _mm256_cvtepi32_ps(r), rule);
  v = _mm256_min_ps(_mm256_set1_ps(rule.sum_highest), _mm256_max_ps(v, _mm256_set1_ps(rule.sum_lowest)));
  return _mm256_add_epi32(_mm256_cvtps_epi32(v), _mm256_set1_epi32(rule.sum_zero_point));
}

inline __m256 real(__m256i sum, const OutputRule& rule, std::int64_t channel) {
  __m256 v = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(rule.multiplier + channel));
  v = _mm256_add_ps(v, _mm256_loadu_ps(rule.bias + channel));
  return _mm256_min_ps(_mm256_set1_ps(rule.highest), _mm256_max_ps(_mm256_set1_ps(rule.lowest), v));
}

/// The low bytes of results as words: in each lane those of `low`, then those of `high`.
inline __m256i low_bytes_as_words(__m256i low, __m256i high) {
  return _mm256_and_si256(_mm256_packs_epi32(low, high), _mm256_set1_epi16(0xFF));
}

/// The words of both lanes, one behind the other, as bytes.
inline __m128i as_bytes(__m256i words) {
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

/// The low bytes of 16 results, in order.
inline __m128i low_bytes(__m256i low, __m256i high) {
  return as_bytes(_mm256_permute4x64_epi64(low_bytes_as_words(low, high), 0xD8));
}

/// Stores the `channels` results of a pixel that there are, at most 16.
inline void store_bytes(std::uint8_t* dst, std::int64_t channels, __m128i results) {
  if (channels == 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(dst), results);
    return;
  }
  alignas(16) std::uint8_t bytes[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(bytes), results);
  __builtin_memcpy(dst, bytes, static_cast<std::size_t>(channels));
}

template <Form form>
inline void store(const PanelBlock& b, std::int64_t pixel, __m256i low, __m256i high) {
  std::uint8_t* dst = b.dst + pixel * b.dst_stride;
  if constexpr (form == Form::stored) {
    store_bytes(dst, b.channels, low_bytes(stored(low, b.rule.exact, 0), stored(high, b.rule.exact, 8)));
  } else if constexpr (form == Form::residual) {
    alignas(16) std::uint8_t r[16] = {};
    __builtin_memcpy(r, b.residual + pixel * b.residual_stride, static_cast<std::size_t>(b.channels));
    const __m256i y_low = with_residual(low, r, b.rule.exact, 0);
    store_bytes(dst, b.channels, low_bytes(y_low, with_residual(high, r + 8, b.rule.exact, 8)));
  } else {
    alignas(32) float results[16];
    _mm256_store_ps(results, real(low, b.rule.exact, 0));
    _mm256_store_ps(results + 8, real(high, b.rule.exact, 8));
    __builtin_memcpy(dst, results, static_cast<std::size_t>(4 * b.channels));
  }
}

/// Pixels first .. first + P - 1 of the block. `ahead`: where the lines begin that L2 is asked for meanwhile.
template <class Products, int P, Form form, bool asks = false>
void multiply(const PanelBlock& b, std::int64_t first, const std::uint8_t* ahead = nullptr) {
  const std::uint8_t* window[P];
  __m256i low[P], high[P];
  for (int p = 0; p < P; ++p) {
    window[p] = b.windows[first + p];
    low[p] = load(b.rule.exact.start);
    high[p] = load(b.rule.exact.start + 8);
  }
  const std::uint8_t* weights = b.weights;
  const WindowRun* run = b.runs;
  for (std::int64_t left = b.steps; left > 0; left -= run->steps, ++run) {
    const std::int64_t end = run->at + 4 * run->steps;
    for (std::int64_t at = run->at; at < end; at += 4, weights += 64) {
      const __m256i w_low = load(weights);
      const __m256i w_high = load(weights + 32);
      if constexpr (asks) {
        _mm_prefetch(ahead, _MM_HINT_T1);
        ahead += b.ahead_each;
      }
#pragma GCC unroll 6
      for (int p = 0; p < P; ++p) {
        const __m256i x = broadcast4(window[p] + at);
        low[p] = Products::add(low[p], x, w_low);
        high[p] = Products::add(high[p], x, w_high);
      }
    }
  }
  for (int p = 0; p < P; ++p) store<form>(b, first + p, low[p], high[p]);
}

template <class Products, Form form>
void multiply_all(const PanelBlock& b) {
  std::int64_t first = 0;
  const std::uint8_t* ahead = b.ahead;
  for (; first < b.ahead_groups * kPixels; first += kPixels) {
    multiply<Products, kPixels, form, true>(b, first, ahead);
    ahead += b.steps * b.ahead_each;
  }
  for (; first + kPixels <= b.pixels; first += kPixels) multiply<Products, kPixels, form>(b, first);
  switch (b.pixels - first) {
    case 1:
      return multiply<Products, 1, form>(b, first);
    case 2:
      return multiply<Products, 2, form>(b, first);
    case 3:
      return multiply<Products, 3, form>(b, first);
    case 4:
      return multiply<Products, 4, form>(b, first);
    case 5:
      return multiply<Products, 5, form>(b, first);
    default:
      return;
  }
}

/// Products::add(sum, x, weights): sum and what the 4 bytes of x and of the weights give in each of 8 lanes.
template <class Products>
void multiply_panel(const PanelBlock& block) {
  if (block.form == OutputForm::real) return multiply_all<Products, Form::real>(block);
  if (block.form == OutputForm::exact_residual) return multiply_all<Products, Form::residual>(block);
  multiply_all<Products, Form::stored>(block);
}

}  // namespace
}  // namespace octavo
