#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "engine/kernels/conv2d/direct_block.h"

namespace octavo {
namespace {

constexpr int kPixels = 7;  // x 2 vectors of 16 channels = 14 accumulators; 112, 56, 28, 14, 7 divide evenly

enum class Form { stored, residual, real };

inline __m512i broadcast4(const std::uint8_t* from) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return _mm512_set1_epi32(bytes);
}

/// fma(bias, bias_factor, f32(sum)), times multiplier, clamped: the result less its zero point, not yet
/// rounded.
inline __m512 scaled(__m512i sum, const OutputRule& rule, int channel) {
  __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(rule.bias + channel), _mm512_set1_ps(rule.bias_factor),
                             _mm512_cvtepi32_ps(sum));
  v = _mm512_mul_ps(v, _mm512_loadu_ps(rule.multiplier + channel));
  return _mm512_min_ps(_mm512_set1_ps(rule.highest), _mm512_max_ps(v, _mm512_set1_ps(rule.lowest)));
}

inline __m512i stored(__m512i sum, const OutputRule& rule, int channel) {
  return _mm512_add_epi32(_mm512_cvtps_epi32(scaled(sum, rule, channel)), _mm512_set1_epi32(rule.zero_point));
}

inline __m512i with_residual(__m512i sum, __m128i r8, const OutputRule& rule, int channel) {
  const __m512i r = rule.r_is_signed != 0 ? _mm512_cvtepi8_epi32(r8) : _mm512_cvtepu8_epi32(r8);
  const __m512 q_real = _mm512_fmadd_ps(_mm512_cvtepi32_ps(stored(sum, rule, channel)),
                                        _mm512_set1_ps(rule.q_scale), _mm512_set1_ps(rule.q_offset));
  const __m512 r_real =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(r), _mm512_set1_ps(rule.r_scale), _mm512_set1_ps(rule.r_offset));
  __m512 v = _mm512_mul_ps(_mm512_add_ps(q_real, r_real), _mm512_set1_ps(rule.inverse_scale));
  v = _mm512_min_ps(_mm512_set1_ps(rule.sum_highest), _mm512_max_ps(v, _mm512_set1_ps(rule.sum_lowest)));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.sum_zero_point));
}

inline __m512 real(__m512i sum, const OutputRule& rule, int channel) {
  __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(rule.multiplier + channel));
  v = _mm512_add_ps(v, _mm512_loadu_ps(rule.bias + channel));
  return _mm512_min_ps(_mm512_set1_ps(rule.highest), _mm512_max_ps(_mm512_set1_ps(rule.lowest), v));
}

/// Stores the 16 results from `channel` on of the pixel `pixel`, those that `there` says.
template <Form form>
inline void store(const PanelBlock& b, std::int64_t pixel, int channel, __mmask16 there, __m512i sum) {
  std::uint8_t* dst = b.dst + pixel * b.dst_stride;
  if constexpr (form == Form::stored) {
    _mm_mask_storeu_epi8(dst + channel, there, _mm512_cvtepi32_epi8(stored(sum, b.rule, channel)));
  } else if constexpr (form == Form::residual) {
    const __m128i r = _mm_maskz_loadu_epi8(there, b.residual + pixel * b.residual_stride + channel);
    _mm_mask_storeu_epi8(dst + channel, there, _mm512_cvtepi32_epi8(with_residual(sum, r, b.rule, channel)));
  } else {
    _mm512_mask_storeu_ps(dst + 4 * channel, there, real(sum, b.rule, channel));
  }
}

/// Pixels first .. first + P - 1 of the block.
template <int P, Form form>
void multiply(const PanelBlock& b, std::int64_t first) {
  const std::uint8_t* window[P];
  __m512i low[P], high[P];
  for (int p = 0; p < P; ++p) {
    window[p] = b.windows[first + p];
    low[p] = _mm512_loadu_si512(b.rule.start);
    high[p] = _mm512_loadu_si512(b.rule.start + 16);
  }
  const std::uint8_t* weights = b.weights;
  for (std::int64_t tap = 0; tap < b.tap_count; ++tap) {
    const std::int64_t end = b.taps[tap] + 4 * b.steps;
    for (std::int64_t at = b.taps[tap]; at < end; at += 4, weights += 128) {
      const __m512i w_low = _mm512_loadu_si512(weights);
      const __m512i w_high = _mm512_loadu_si512(weights + 64);
#pragma GCC unroll 7
      for (int p = 0; p < P; ++p) {
        const __m512i x = broadcast4(window[p] + at);
        low[p] = _mm512_dpbusd_epi32(low[p], x, w_low);
        high[p] = _mm512_dpbusd_epi32(high[p], x, w_high);
      }
    }
  }
  const auto there = static_cast<std::uint32_t>((std::uint64_t{1} << b.channels) - 1);
  for (int p = 0; p < P; ++p) {
    store<form>(b, first + p, 0, static_cast<__mmask16>(there), low[p]);
    store<form>(b, first + p, 16, static_cast<__mmask16>(there >> 16), high[p]);
  }
}

template <Form form>
void multiply_all(const PanelBlock& b) {
  std::int64_t first = 0;
  for (; first + kPixels <= b.pixels; first += kPixels) multiply<kPixels, form>(b, first);
  switch (b.pixels - first) {
    case 1:
      return multiply<1, form>(b, first);
    case 2:
      return multiply<2, form>(b, first);
    case 3:
      return multiply<3, form>(b, first);
    case 4:
      return multiply<4, form>(b, first);
    case 5:
      return multiply<5, form>(b, first);
    case 6:
      return multiply<6, form>(b, first);
    default:
      return;
  }
}

}  // namespace

void multiply_stored_avx512_vnni(const PanelBlock& block) { multiply_all<Form::stored>(block); }
void multiply_residual_avx512_vnni(const PanelBlock& block) { multiply_all<Form::residual>(block); }
void multiply_real_avx512_vnni(const PanelBlock& block) { multiply_all<Form::real>(block); }

}  // namespace octavo
