#include <immintrin.h>

#include "engine/kernels/inline.h"
#include "engine/kernels/pool/window_u8.h"

namespace octavo {
namespace {

/// For `vectors` * 16 channels from `c` on, the last 16 as far as `mask` has them: y[c] = the lowest 8 bits
/// of finish(sum), where the sum begins as `start` and becomes add(sum, value) with each u8 of the window.
template <int vectors, class Sum, class Add, class Finish>
OCTAVO_INLINE void for_channels(const WindowU8& w, std::int64_t c, __mmask16 mask, Sum start, const Add& add,
                                const Finish& finish, std::uint8_t* y) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(w.flip));
  const auto mask_of = [&](std::int64_t v) {
    return v == vectors - 1 ? mask : static_cast<__mmask16>(0xFFFF);
  };
  Sum sums[vectors];
  for (Sum& sum : sums) sum = start;
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* x = w.x + row * w.row_step + c;
    for (std::int64_t column = 0; column < w.columns; ++column, x += w.column_step) {
#pragma GCC unroll 4
      for (std::int64_t v = 0; v < vectors; ++v) {
        const __m128i q = _mm_xor_si128(_mm_maskz_loadu_epi8(mask_of(v), x + 16 * v), flip);
        sums[v] = add(sums[v], _mm512_cvtepu8_epi32(q));
      }
    }
  }
#pragma GCC unroll 4
  for (std::int64_t v = 0; v < vectors; ++v)
    _mm_mask_storeu_epi8(y + c + 16 * v, mask_of(v), _mm512_cvtepi32_epi8(finish(sums[v])));
}

template <class Sum, class Add, class Finish>
OCTAVO_INLINE void for_all_channels(const WindowU8& w, Sum start, const Add& add, const Finish& finish,
                                    std::uint8_t* y) {
  constexpr __mmask16 kAll = 0xFFFF;
  std::int64_t c = 0;
  // A line of memory at once: pixels whose distance is a power of two share few places of L1.
  for (; c + 64 <= w.channels; c += 64) for_channels<4>(w, c, kAll, start, add, finish, y);
  for (; c + 16 <= w.channels; c += 16) for_channels<1>(w, c, kAll, start, add, finish, y);
  if (c < w.channels) {
    const auto there = static_cast<__mmask16>((1U << (w.channels - c)) - 1);
    for_channels<1>(w, c, there, start, add, finish, y);
  }
}

/// The largest values of 64 channels, or those of `mask`, from `x` on. `flipped` makes u8 of what is stored,
/// and the reverse.
template <class Flipped>
OCTAVO_INLINE __m512i max_of(const WindowU8& w, const std::uint8_t* x, __mmask64 mask,
                             const Flipped& flipped) {
  const auto value = [&](const std::uint8_t* at) { return flipped(_mm512_maskz_loadu_epi8(mask, at)); };
  __m512i most = _mm512_setzero_si512();
  for (std::int64_t row = 0; row < w.rows; ++row, x += w.row_step) {
    std::int64_t column = 0;
    // Most windows have three columns: two comparisons at a time that do not wait for each other.
    for (; column + 3 <= w.columns; column += 3) {
      const std::uint8_t* at = x + column * w.column_step;
      const __m512i two = _mm512_max_epu8(value(at), value(at + w.column_step));
      most = _mm512_max_epu8(most, _mm512_max_epu8(two, value(at + 2 * w.column_step)));
    }
    for (; column < w.columns; ++column) most = _mm512_max_epu8(most, value(x + column * w.column_step));
  }
  return flipped(most);
}

template <class Flipped>
OCTAVO_INLINE void max_of_channels(const WindowU8& w, std::uint8_t* y, const Flipped& flipped) {
  std::int64_t c = 0;
  for (; c + 64 <= w.channels; c += 64) _mm512_storeu_si512(y + c, max_of(w, w.x + c, ~0ULL, flipped));
  if (c == w.channels) return;
  const __mmask64 there = (1ULL << (w.channels - c)) - 1;
  _mm512_mask_storeu_epi8(y + c, there, max_of(w, w.x + c, there, flipped));
}

}  // namespace

void max_window_avx512(const WindowU8& w, std::uint8_t* y) {
  if (w.flip == 0) {
    max_of_channels(w, y, [](__m512i x) { return x; });
  } else {
    const __m512i flip = _mm512_set1_epi8(static_cast<char>(w.flip));
    max_of_channels(w, y, [&](__m512i x) { return _mm512_xor_si512(x, flip); });
  }
}

void average_window_avx512(const WindowU8& w, const AverageU8& p, std::uint8_t* y) {
  const __m512 factor = _mm512_set1_ps(p.factor);
  const auto add = [](__m512i sum, __m512i q) { return _mm512_add_epi32(sum, q); };
  const auto finish = [&](__m512i sum) {
    const __m512 s = _mm512_cvtepi32_ps(sum);
    __m512 v = p.divide != 0 ? _mm512_div_ps(s, factor) : _mm512_mul_ps(s, factor);
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
    const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(p.zero_point));
    return _mm512_xor_si512(q, _mm512_set1_epi32(w.flip));
  };
  for_all_channels(w, _mm512_set1_epi32(p.offset), add, finish, y);
}

void average_reals_of_window_avx512(const WindowU8& w, const AverageReals& p, std::uint8_t* y) {
  const __m512i zero_point = _mm512_set1_epi32(p.x_zero_point);
  const auto add = [&](__m512 sum, __m512i q) {
    const __m512 real = _mm512_cvtepi32_ps(_mm512_sub_epi32(q, zero_point));
    return _mm512_add_ps(sum, _mm512_mul_ps(real, _mm512_set1_ps(p.x_scale)));
  };
  const auto finish = [&](__m512 sum) {
    __m512 v = _mm512_div_ps(_mm512_div_ps(sum, _mm512_set1_ps(p.count)), _mm512_set1_ps(p.y_scale));
    v = _mm512_add_ps(v, _mm512_set1_ps(p.y_zero_point));
    v = _mm512_min_ps(_mm512_max_ps(v, _mm512_set1_ps(p.lowest)), _mm512_set1_ps(p.highest));
    return _mm512_cvtps_epi32(v);
  };
  for_all_channels(w, _mm512_setzero_ps(), add, finish, y);
}

}  // namespace octavo
