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

/// The largest of each of 64 channels in one column of a window, or of those of `mask`.
template <int rows>
OCTAVO_INLINE __m512i max_of_column(const std::uint8_t* x, std::int64_t row_step, __mmask64 mask) {
  __m512i most = _mm512_maskz_loadu_epi8(mask, x);
#pragma GCC unroll 4
  for (int row = 1; row < rows; ++row)
    most = _mm512_max_epu8(most, _mm512_maskz_loadu_epi8(mask, x + row * row_step));
  return most;
}

/// Windows of three columns and unflipped values, each of which shares a column with the next one.
template <int rows>
OCTAVO_INLINE void max_of_sharing(const WindowU8& w, const WindowRun& run, const std::uint8_t* x,
                                  __mmask64 mask, std::uint8_t* y) {
  __m512i shared = max_of_column<rows>(x, w.row_step, mask);
  for (std::int64_t i = 0; i < run.count; ++i, x += run.x_step, y += run.y_step) {
    const __m512i own = max_of_column<rows>(x + w.column_step, w.row_step, mask);
    const __m512i last = max_of_column<rows>(x + 2 * w.column_step, w.row_step, mask);
    _mm512_mask_storeu_epi8(y, mask, _mm512_max_epu8(_mm512_max_epu8(shared, own), last));
    shared = last;
  }
}

/// Of 64 channels from `c` on, or those of `mask`.
OCTAVO_INLINE void max_of_run(const WindowU8& w, const WindowRun& run, std::int64_t c, __mmask64 mask,
                              std::uint8_t* y) {
  const bool is_sharing = w.flip == 0 && w.columns == 3 && run.x_step == 2 * w.column_step;
  const std::uint8_t* x = w.x + c;
  y += c;
  if (is_sharing && w.rows == 3) return max_of_sharing<3>(w, run, x, mask, y);
  if (is_sharing && w.rows == 2) return max_of_sharing<2>(w, run, x, mask, y);
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(w.flip));
  const auto all = [&](const auto& flipped) {
    for (std::int64_t i = 0; i < run.count; ++i, x += run.x_step, y += run.y_step)
      _mm512_mask_storeu_epi8(y, mask, max_of(w, x, mask, flipped));
  };
  w.flip == 0 ? all([](__m512i q) { return q; }) : all([&](__m512i q) { return _mm512_xor_si512(q, flip); });
}

}  // namespace

void max_windows_avx512(const WindowU8& first, const WindowRun& run, std::uint8_t* y) {
  std::int64_t c = 0;
  for (; c + 64 <= first.channels; c += 64) max_of_run(first, run, c, ~0ULL, y);
  if (c < first.channels) max_of_run(first, run, c, (1ULL << (first.channels - c)) - 1, y);
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
