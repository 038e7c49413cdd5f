#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/conv2d/direct_block.h"
#include "engine/kernels/inline.h"
#include "engine/kernels/vnni.h"

// A block is 64 channels: 4 accumulators of 16. Each column of a window becomes dwords of up to 4 rows, which
// one vpdpbusd multiplies by the weights of a window column. In rows the dwords of a column serve every pixel
// whose window has it; a fifth row becomes dwords of 4 columns.

namespace octavo {
namespace {

constexpr std::int64_t kBlock = 64;
constexpr int kVectors = 4;

/// One block of channels.
struct Channels {
  std::int64_t first;
  __mmask64 there;
  const std::uint8_t* weights;
};

/// What a block's code depends on beside its window: how sums become results, whether all of its channels are
/// there, and how many rows of pixels it takes.
template <OutputForm of_results, bool all_there, int at_once = 1>
struct Mode {
  static constexpr OutputForm form = of_results;
  static constexpr bool is_whole = all_there;
  static constexpr int rows = at_once;
  static constexpr bool is_bare = form == OutputForm::stored_bare;
  static constexpr bool is_plain = is_bare || form == OutputForm::stored_plain;
};

using Dwords = __m512i[kVectors];

/// Interleaves the rows of a column: bytes, then pairs of bytes, which leaves the channels
/// 16 * lane + 4 * j + i in vector j.
OCTAVO_INLINE void interleave(__m512i x0, __m512i x1, __m512i x2, __m512i x3, Dwords& dwords) {
  const __m512i x01_low = _mm512_unpacklo_epi8(x0, x1), x01_high = _mm512_unpackhi_epi8(x0, x1);
  const __m512i x23_low = _mm512_unpacklo_epi8(x2, x3), x23_high = _mm512_unpackhi_epi8(x2, x3);
  dwords[0] = _mm512_unpacklo_epi16(x01_low, x23_low);
  dwords[1] = _mm512_unpackhi_epi16(x01_low, x23_low);
  dwords[2] = _mm512_unpacklo_epi16(x01_high, x23_high);
  dwords[3] = _mm512_unpackhi_epi16(x01_high, x23_high);
}

/// `rows` rows of a column; load(i) is row i.
template <int rows, class Load>
OCTAVO_INLINE void load_group(const Load& load, Dwords& dwords) {
  const __m512i zero = _mm512_setzero_si512();
  interleave(load(0), rows > 1 ? load(1) : zero, rows > 2 ? load(2) : zero, rows > 3 ? load(3) : zero,
             dwords);
}

/// sum += dwords * weights.
OCTAVO_INLINE void add_products(Dwords& sum, const Dwords& dwords, const std::uint8_t* weights) {
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < kVectors; ++j) sum[j] = with_products(sum[j], dwords[j], weights + 64 * j);
}

OCTAVO_INLINE void add_products(Dwords& sum, const Dwords& dwords, const Dwords& weights) {
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < kVectors; ++j) sum[j] = with_products(sum[j], dwords[j], weights[j]);
}

OCTAVO_INLINE void begin(Dwords& sum, const FastRule& rule, const Channels& c) {
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < kVectors; ++j) sum[j] = _mm512_loadu_si512(rule.start + c.first + 16 * j);
}

OCTAVO_INLINE __m512i stored_exact(__m512i sum, const OutputRule& rule, std::int64_t place) {
  __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(rule.bias + place), _mm512_set1_ps(rule.bias_factor),
                             _mm512_cvtepi32_ps(sum));
  v = _mm512_mul_ps(v, _mm512_loadu_ps(rule.multiplier + place));
  v = _mm512_min_ps(_mm512_set1_ps(rule.highest), _mm512_max_ps(v, _mm512_set1_ps(rule.lowest)));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.zero_point));
}

template <class M>
OCTAVO_INLINE __m512i stored(__m512i sum, const FastRule& rule, std::int64_t place) {
  __m512 v = _mm512_cvtepi32_ps(sum);
  if constexpr (!M::is_bare) v = _mm512_add_ps(v, _mm512_loadu_ps(rule.addend + place));
  return _mm512_cvtps_epi32(_mm512_mul_ps(v, _mm512_loadu_ps(rule.exact.multiplier + place)));
}

/// The results of a pixel as bytes. Packing undoes the interleaving: they come out in the order of the
/// channels.
template <class M>
OCTAVO_INLINE __m512i results(const Dwords& sum, const FastRule& rule, const Channels& c) {
  __m512i y[kVectors], bytes;
  if constexpr (M::form == OutputForm::exact) {
    for (std::int64_t j = 0; j < kVectors; ++j) y[j] = stored_exact(sum[j], rule.exact, c.first + 16 * j);
    const __m512i low_byte = _mm512_set1_epi16(0xFF);
    return _mm512_packus_epi16(_mm512_and_si512(_mm512_packs_epi32(y[0], y[1]), low_byte),
                               _mm512_and_si512(_mm512_packs_epi32(y[2], y[3]), low_byte));
  }
#pragma GCC unroll 4
  for (std::int64_t j = 0; j < kVectors; ++j) {
    y[j] = stored<M>(sum[j], rule, c.first + 16 * j);
  }
  __m512i low = _mm512_packs_epi32(y[0], y[1]), high = _mm512_packs_epi32(y[2], y[3]);
  if constexpr (!M::is_plain) {
    const __m512i zero_point = _mm512_set1_epi16(rule.zero_point);
    low = _mm512_adds_epi16(low, zero_point), high = _mm512_adds_epi16(high, zero_point);
  }
  bytes = _mm512_packus_epi16(low, high);
  if constexpr (!M::is_plain) {
    bytes = _mm512_max_epu8(bytes, _mm512_set1_epi8(static_cast<char>(rule.lowest_y)));
    bytes = _mm512_min_epu8(bytes, _mm512_set1_epi8(static_cast<char>(rule.highest_y)));
    bytes = _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(rule.flip)));
  }
  return bytes;
}

/// One pixel, any window.
template <class M>
void multiply_pixel(const DepthwiseBlock& b, const Channels& c, std::int64_t pixel) {
  Dwords sum, dwords;
  begin(sum, b.rule, c);
  const std::uint8_t* weights = c.weights;
  for (std::int64_t column = 0; column < b.columns; ++column) {
    const std::uint8_t* from = b.windows[pixel] + c.first + column * b.column_bytes;
    for (std::int64_t group = 0; group < b.tap_groups; ++group, weights += 4 * kBlock) {
      const std::int64_t* const taps = b.taps + 4 * group;
      load_group<4>([&](int i) { return _mm512_maskz_loadu_epi8(c.there, from + taps[i]); }, dwords);
      add_products(sum, dwords, weights);
    }
  }
  _mm512_mask_storeu_epi8(b.dst + pixel * b.dst_stride + c.first, c.there, results<M>(sum, b.rule, c));
}

template <class M>
void multiply_block(const DepthwiseBlock& b, const Channels& c) {
  for (std::int64_t pixel = 0; pixel < b.pixels; ++pixel) multiply_pixel<M>(b, c, pixel);
}

/// Which rows of pixels a block takes, from one on: distances to each of them, in the list of input rows and
/// in the results. Beyond the last row it is that one again, and has no results of its own.
struct RowsAtOnce {
  std::int64_t input[4], output[4];
  std::int64_t count;
};

inline __m128i load_16(const std::uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

/// A row of a column: the bytes at `offset` from rows[0], or those of all rows at once one behind the other.
template <class M>
OCTAVO_INLINE __m512i load_row(const std::uint8_t* const* rows, std::int64_t offset, const RowsAtOnce& at,
                               const Channels& c) {
  const auto from = [&](int r) { return rows[at.input[r]] + offset; };
  if constexpr (M::rows == 4) {
    __m512i x = _mm512_castsi128_si512(load_16(from(0)));
    x = _mm512_inserti32x4(x, load_16(from(1)), 1);
    x = _mm512_inserti32x4(x, load_16(from(2)), 2);
    return _mm512_inserti32x4(x, load_16(from(3)), 3);
  } else if constexpr (M::rows == 2) {
    const auto half = [&](int r) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from(r))); };
    return _mm512_inserti64x4(_mm512_castsi256_si512(half(0)), half(1), 1);
  } else if constexpr (M::is_whole) {
    return _mm512_loadu_si512(rows[0] + offset);
  } else {
    return _mm512_maskz_loadu_epi8(c.there, rows[0] + offset);
  }
}

/// The other way round: the results of a pixel, or of those below each other.
template <class M>
OCTAVO_INLINE void store_rows(std::uint8_t* dst, __m512i bytes, const RowsAtOnce& at, const Channels& c) {
  if constexpr (M::rows == 4) {
    const auto store = [&](int r, __m128i part) {
      if (r < at.count) _mm_storeu_si128(reinterpret_cast<__m128i*>(dst + at.output[r]), part);
    };
    store(0, _mm512_castsi512_si128(bytes));
    store(1, _mm512_extracti32x4_epi32(bytes, 1));
    store(2, _mm512_extracti32x4_epi32(bytes, 2));
    store(3, _mm512_extracti32x4_epi32(bytes, 3));
  } else if constexpr (M::rows == 2) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dst), _mm512_castsi512_si256(bytes));
    if (at.count > 1) {
      auto* const second = reinterpret_cast<__m256i*>(dst + at.output[1]);
      _mm256_storeu_si256(second, _mm512_extracti64x4_epi64(bytes, 1));
    }
  } else if constexpr (M::is_whole) {
    _mm512_storeu_si512(dst, bytes);
  } else {
    _mm512_mask_storeu_epi8(dst, c.there, bytes);
  }
}

/// The pixels of a row that are open: some of their columns are multiplied, not all. Windows of k x k,
/// `stride` columns apart. All indices of `sum` are compile-time constants, so that it stays in registers.
template <int k, int stride, class M>
struct OpenPixels {
  static constexpr int kOpen = (k + stride - 1) / stride;
  static constexpr int kPeriod =
      kOpen * stride;  ///< columns after which a pixel's place in `sum` is taken anew
  static constexpr bool kHasFifth = k == 5;

  /// Where the rows of a column lie.
  struct Column {
    const std::uint8_t* const* rows;
    std::int64_t offset;
  };

  const DepthwiseRows& b;
  const Channels& c;
  const std::uint8_t* const* rows;
  RowsAtOnce at_once;
  Dwords sum[kOpen];
  /// The weights, where there are few enough: a vector of them takes as long to load as to multiply.
  static constexpr bool kHolds = k == 3;
  Dwords held[kHolds ? k : 1];
  Column last[4];  ///< columns, if there is a fifth row

  [[nodiscard]] OCTAVO_INLINE Column column_at(std::int64_t column) const {
    const bool is_inside = column >= 0 && column < b.columns;
    return {is_inside ? rows : b.zeros, (is_inside ? column * b.column_bytes : 0) + c.first};
  }
  /// Multiplies up to 4 rows of column `u` (of kPeriod) by every window column that it is for some pixel.
  template <int u>
  OCTAVO_INLINE void multiply_column(const Column& column) {
    Dwords dwords;
    const auto load = [&](int i) { return load_row<M>(column.rows + i, column.offset, at_once, c); };
    load_group<kHasFifth ? 4 : k>(load, dwords);
    multiply_by<u, u % stride>(dwords);
  }
  template <int u, int kx>
  OCTAVO_INLINE void multiply_by(const Dwords& dwords) {
    if constexpr (kx < k) {
      if constexpr (kHolds) {
        add_products(sum[open_since(u - kx)], dwords, held[kx]);
      } else {
        add_products(sum[open_since(u - kx)], dwords, weights(kx));
      }
      multiply_by<u, kx + stride>(dwords);
    }
  }
  /// Multiplies the fifth row of the last 4 columns, which end with column `u`: for the pixel that `ends`
  /// with it all but its first one, for the pixel that begins with the second of them its first one.
  template <int u, bool ends>
  OCTAVO_INLINE void multiply_fifth() {
    Dwords dwords;
    const auto load = [&](int i) { return load_row<M>(last[i].rows + 4, last[i].offset, at_once, c); };
    load_group<4>(load, dwords);
    if constexpr (ends) add_products(sum[open_since(u - 4)], dwords, weights(k));
    add_products(sum[open_since(u - 2)], dwords, weights(k + 1));
  }
  /// The place in `sum` of the pixel whose window begins with a column.
  static constexpr int open_since(int column) { return (column + kPeriod) / stride % kOpen; }
  [[nodiscard]] OCTAVO_INLINE const std::uint8_t* weights(std::int64_t group) const {
    return c.weights + group * 4 * kBlock;
  }

  /// Column `at` of those that the row's windows have, number `u` of its period. `dst`: the row's. `ends`:
  /// whether it is the last one of some window, where the stride lets a pixel have it.
  template <int u, bool ends>
  OCTAVO_INLINE void take(std::int64_t at, std::uint8_t* dst) {
    const Column column = column_at(b.first_column + at);
    if constexpr (u % stride == 0) begin(sum[u / stride], b.rule, c);
    multiply_column<u>(column);
    if constexpr (kHasFifth) {
      last[0] = last[1], last[1] = last[2], last[2] = last[3], last[3] = column;
      if constexpr (u % stride == 0 && (ends || u >= 2)) multiply_fifth<u, ends>();
    }
    if constexpr (ends && (u + kPeriod - (k - 1)) % stride == 0) {
      std::uint8_t* const pixel = dst + (at - (k - 1)) / stride * b.dst_stride + c.first;
      store_rows<M>(pixel, results<M>(sum[open_since(u - (k - 1))], b.rule, c), at_once, c);
    }
  }

  /// Whole periods go without a question: where code branches, sums move between registers and memory.
  OCTAVO_INLINE void take_row(std::uint8_t* dst) {
    const std::int64_t columns = (b.pixels - 1) * stride + k;
    std::int64_t at = k - 1;
    if constexpr (kHasFifth) last[3] = column_at(b.first_column - 1);
    if constexpr (kHolds) {
#pragma GCC unroll 12
      for (std::int64_t i = 0; i < std::int64_t{k} * kVectors; ++i)
        held[i / kVectors][i % kVectors] = _mm512_loadu_si512(c.weights + kBlock * i);
    }
    const auto take_first = [&]<int... u>(std::integer_sequence<int, u...>) __attribute__((always_inline)) {
      (take<u % kPeriod, false>(u, dst), ...);
    };
    const auto take_period = [&]<int... u>(std::integer_sequence<int, u...>) __attribute__((always_inline)) {
      (take<(k - 1 + u) % kPeriod, true>(at + u, dst), ...);
    };
    const auto take_last = [&]<int... u>(std::integer_sequence<int, u...>) __attribute__((always_inline)) {
      ((at + u < columns ? take<(k - 1 + u) % kPeriod, true>(at + u, dst) : void()), ...);
    };
    take_first(std::make_integer_sequence<int, k - 1>());
    for (; at + kPeriod <= columns; at += kPeriod) take_period(std::make_integer_sequence<int, kPeriod>());
    take_last(std::make_integer_sequence<int, kPeriod - 1>());
  }
};

template <int k, int stride, class M>
void multiply_rows(const DepthwiseRows& b, const Channels& c) {
  using Open = OpenPixels<k, stride, M>;
  const std::int64_t row_bytes = b.pixels * b.dst_stride;
  for (std::int64_t row = 0; row < b.count; row += M::rows) {
    RowsAtOnce at_once{{}, {}, b.count - row};
    for (std::int64_t r = 0; r < M::rows; ++r) {
      const std::int64_t there = r < at_once.count ? r : at_once.count - 1;
      at_once.input[r] = there * k, at_once.output[r] = there * row_bytes;
    }
    Open open{b, c, b.rows + row * k, at_once, {}, {}, {}};
    open.take_row(b.dst + row * row_bytes);
  }
}

template <class M>
void multiply_block(const DepthwiseRows& b, const Channels& c) {
  if (b.size == 3) return b.stride == 1 ? multiply_rows<3, 1, M>(b, c) : multiply_rows<3, 2, M>(b, c);
  b.stride == 1 ? multiply_rows<5, 1, M>(b, c) : multiply_rows<5, 2, M>(b, c);
}

template <class Block, bool is_whole, int rows>
void multiply_channels(const Block& b, const Channels& c) {
  switch (b.form) {
    case OutputForm::stored_bare:
      return multiply_block<Mode<OutputForm::stored_bare, is_whole, rows>>(b, c);
    case OutputForm::stored_plain:
      return multiply_block<Mode<OutputForm::stored_plain, is_whole, rows>>(b, c);
    case OutputForm::stored:
    case OutputForm::stored_shifted:
      return multiply_block<Mode<OutputForm::stored, is_whole, rows>>(b, c);
    default:
      return multiply_block<Mode<OutputForm::exact, is_whole, rows>>(b, c);
  }
}

/// Calls multiply(channels) for each block of channels; `channel_weights`: bytes of a channel's weights.
template <class Block, class Multiply>
void for_each_block(const Block& b, std::int64_t channel_weights, const Multiply& multiply) {
  for (std::int64_t channel = 0; channel < b.channels; channel += kBlock) {
    const std::int64_t left = b.channels - channel;
    const __mmask64 there = left < kBlock ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
    multiply(Channels{channel, there, b.weights + channel * channel_weights});
  }
}

}  // namespace

void depthwise_avx512_vnni(const DepthwiseBlock& b) {
  for_each_block(b, b.columns * b.tap_groups * 4,
                 [&](const Channels& c) { multiply_channels<DepthwiseBlock, false, 1>(b, c); });
}

void depthwise_rows_avx512_vnni(const DepthwiseRows& b) {
  for_each_block(b, depthwise_row_groups(b.size) * 4, [&](const Channels& c) {
    const std::int64_t left = b.channels - c.first;
    if (left >= kBlock) return multiply_channels<DepthwiseRows, true, 1>(b, c);
    switch (depthwise_tail(left)) {
      case 4:
        return multiply_channels<DepthwiseRows, false, 4>(b, c);
      case 2:
        return multiply_channels<DepthwiseRows, false, 2>(b, c);
      default:
        return multiply_channels<DepthwiseRows, false, 1>(b, c);
    }
  });
}

}  // namespace octavo
