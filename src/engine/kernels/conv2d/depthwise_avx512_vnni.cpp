#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/kernels/conv2d/direct_block.h"

// A block is 64 channels: 4 accumulators of 16. Each column of a window becomes dwords of up to 4 rows, which
// one vpdpbusd multiplies by the weights of a window column. In rows the dwords of a column serve every pixel
// whose window has it.

namespace octavo {
namespace {

#define OCTAVO_INLINE inline __attribute__((always_inline))

constexpr int kBlock = 64;
constexpr int kVectors = 4;

/// One block of channels.
struct Channels {
  std::int64_t first;
  __mmask64 there;
  const std::uint8_t* weights;
};

/// What a block's code depends on beside its window: how sums become results, and whether all of its channels
/// are there.
template <OutputForm of_results, bool all_there>
struct Mode {
  static constexpr OutputForm form = of_results;
  static constexpr bool is_whole = all_there;
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

/// `rows` rows of a column; at(i) is where row i lies.
template <class M, int rows, class At>
OCTAVO_INLINE void load_group(const At& at, __mmask64 there, Dwords& dwords) {
  const __m512i zero = _mm512_setzero_si512();
  const auto row = [&](int i) {
    return M::is_whole ? _mm512_loadu_si512(at(i)) : _mm512_maskz_loadu_epi8(there, at(i));
  };
  interleave(row(0), rows > 1 ? row(1) : zero, rows > 2 ? row(2) : zero, rows > 3 ? row(3) : zero, dwords);
}

/// sum += dwords * weights; the instruction itself, since gcc 12 copies accumulators around the intrinsic.
OCTAVO_INLINE void add_products(Dwords& sum, const Dwords& dwords, const std::uint8_t* weights) {
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) {
    asm("vpdpbusd %2, %1, %0"
        : "+v"(sum[j])
        : "v"(dwords[j]), "m"(*reinterpret_cast<const __m512i*>(weights + 64 * j)));
  }
}

OCTAVO_INLINE void begin(Dwords& sum, const FastRule& rule, const Channels& c) {
#pragma GCC unroll 4
  for (int j = 0; j < kVectors; ++j) sum[j] = _mm512_loadu_si512(rule.exact.start + c.first + 16 * j);
}

template <class M>
OCTAVO_INLINE __m512 scaled(__m512i sum, const OutputRule& rule, std::int64_t place) {
  __m512 v = _mm512_cvtepi32_ps(sum);
  if constexpr (!M::is_bare) {
    v = _mm512_fmadd_ps(_mm512_loadu_ps(rule.bias + place), _mm512_set1_ps(rule.bias_factor), v);
  }
  return _mm512_mul_ps(v, _mm512_loadu_ps(rule.multiplier + place));
}

template <class M>
OCTAVO_INLINE __m512i stored_exact(__m512i sum, const OutputRule& rule, std::int64_t place) {
  __m512 v = scaled<M>(sum, rule, place);
  v = _mm512_min_ps(_mm512_set1_ps(rule.highest), _mm512_max_ps(v, _mm512_set1_ps(rule.lowest)));
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.zero_point));
}

/// The results of the pixel at `dst`. Packing undoes the interleaving: bytes come out in the order of the
/// channels.
template <class M>
OCTAVO_INLINE void store(const Dwords& sum, const FastRule& rule, const Channels& c, std::uint8_t* dst) {
  __m512i y[kVectors], bytes;
  if constexpr (M::form == OutputForm::exact) {
    for (int j = 0; j < kVectors; ++j) y[j] = stored_exact<M>(sum[j], rule.exact, c.first + 16 * j);
    const __m512i low_byte = _mm512_set1_epi16(0xFF);
    bytes = _mm512_packus_epi16(_mm512_and_si512(_mm512_packs_epi32(y[0], y[1]), low_byte),
                                _mm512_and_si512(_mm512_packs_epi32(y[2], y[3]), low_byte));
  } else {
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
      y[j] = _mm512_cvtps_epi32(scaled<M>(sum[j], rule.exact, c.first + 16 * j));
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
  }
  if constexpr (M::is_whole) {
    _mm512_storeu_si512(dst + c.first, bytes);
  } else {
    _mm512_mask_storeu_epi8(dst + c.first, c.there, bytes);
  }
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
      load_group<M, 4>([&](int i) { return from + b.taps[4 * group + i]; }, c.there, dwords);
      add_products(sum, dwords, weights);
    }
  }
  store<M>(sum, b.rule, c, b.dst + pixel * b.dst_stride);
}

template <class M>
void multiply_block(const DepthwiseBlock& b, const Channels& c) {
  for (std::int64_t pixel = 0; pixel < b.pixels; ++pixel) multiply_pixel<M>(b, c, pixel);
}

/// The pixels of a row that are open: some of their columns are multiplied, not all. Windows of k x k,
/// `stride` columns apart. All indices of `sum` are compile-time constants, so that it stays in registers.
template <int k, int stride, class M>
struct OpenPixels {
  static constexpr int kOpen = (k + stride - 1) / stride;
  static constexpr int kPeriod =
      kOpen * stride;  ///< columns after which a pixel's place in `sum` is taken anew
  static constexpr int kGroups = (k + 3) / 4;

  /// Where the rows of a column lie.
  struct Column {
    const std::uint8_t* const* rows;
    std::int64_t offset;
  };

  const DepthwiseRows& b;
  const Channels& c;
  const std::uint8_t* const* rows;
  const std::uint8_t* const* edges;
  Dwords sum[kOpen];

  [[nodiscard]] OCTAVO_INLINE Column column_at(std::int64_t column) const {
    if (column >= 0 && column < b.columns) return {rows, column * b.column_bytes + c.first};
    if (edges != nullptr && column == -1) return {edges, c.first};
    if (edges != nullptr && column == b.columns) return {edges + k, c.first};
    return {b.zeros, c.first};
  }
  /// Multiplies group `group` of column `u` (of kPeriod) by every window column that it is for some pixel.
  template <int u, int group>
  OCTAVO_INLINE void multiply_group(const Column& column) {
    Dwords dwords;
    constexpr int kRows = group + 1 < kGroups ? 4 : k - 4 * (kGroups - 1);
    load_group<M, kRows>([&](int i) { return column.rows[4 * group + i] + column.offset; }, c.there, dwords);
    multiply_by<u, group, u % stride>(dwords);
  }
  template <int u, int group, int kx>
  OCTAVO_INLINE void multiply_by(const Dwords& dwords) {
    if constexpr (kx < k) {
      constexpr int open = ((u - kx) / stride + kPeriod) % kOpen;
      add_products(sum[open], dwords, c.weights + (kx * kGroups + group) * 4 * kBlock);
      multiply_by<u, group, kx + stride>(dwords);
    }
  }

  /// Column `at` of those that the row's windows have, number `u` of its period. `dst`: the row's.
  template <int u>
  OCTAVO_INLINE void take(std::int64_t at, std::uint8_t* dst) {
    const Column column = column_at(b.first_column + at);
    if constexpr (u % stride == 0) begin(sum[u / stride], b.rule, c);
    multiply_group<u, 0>(column);
    if constexpr (kGroups > 1) multiply_group<u, 1>(column);
    constexpr int kLast = u - (k - 1) + kPeriod * k;  // plus a multiple of the period
    if constexpr (kLast % stride == 0) {
      if (at >= k - 1) {
        store<M>(sum[kLast / stride % kOpen], b.rule, c, dst + (at - (k - 1)) / stride * b.dst_stride);
      }
    }
  }

  template <int... us>
  OCTAVO_INLINE void take_row(std::uint8_t* dst, std::integer_sequence<int, us...>) {
    const std::int64_t columns = (b.pixels - 1) * stride + k;
    for (std::int64_t at = 0; at < columns; at += kPeriod) {
      ((at + us < columns ? take<us>(at + us, dst) : void()), ...);
    }
  }
};

template <int k, int stride, class M>
void multiply_rows(const DepthwiseRows& b, const Channels& c) {
  using Open = OpenPixels<k, stride, M>;
  for (std::int64_t row = 0; row < b.count; ++row) {
    const std::uint8_t* const* edges = b.edges == nullptr ? nullptr : b.edges + row * 2 * k;
    Open open{b, c, b.rows + row * k, edges, {}};
    open.take_row(b.dst + row * b.pixels * b.dst_stride, std::make_integer_sequence<int, Open::kPeriod>());
  }
}

template <class M>
void multiply_block(const DepthwiseRows& b, const Channels& c) {
  if (b.size == 3) return b.stride == 1 ? multiply_rows<3, 1, M>(b, c) : multiply_rows<3, 2, M>(b, c);
  b.stride == 1 ? multiply_rows<5, 1, M>(b, c) : multiply_rows<5, 2, M>(b, c);
}

template <bool is_whole, class Block>
void multiply_channels(const Block& b, const Channels& c) {
  switch (b.form) {
    case OutputForm::stored_bare:
      return multiply_block<Mode<OutputForm::stored_bare, is_whole>>(b, c);
    case OutputForm::stored_plain:
      return multiply_block<Mode<OutputForm::stored_plain, is_whole>>(b, c);
    case OutputForm::stored:
      return multiply_block<Mode<OutputForm::stored, is_whole>>(b, c);
    default:
      return multiply_block<Mode<OutputForm::exact, is_whole>>(b, c);
  }
}

/// `channel_weights`: bytes of a channel's weights.
template <class Block>
void multiply_all(const Block& b, std::int64_t channel_weights) {
  for (std::int64_t channel = 0; channel < b.channels; channel += kBlock) {
    const std::int64_t left = b.channels - channel;
    const __mmask64 there = left < kBlock ? (std::uint64_t{1} << left) - 1 : ~std::uint64_t{0};
    const Channels c{channel, there, b.weights + channel * channel_weights};
    if (left < kBlock) {
      multiply_channels<false>(b, c);
    } else {
      multiply_channels<true>(b, c);
    }
  }
}

}  // namespace

void depthwise_avx512_vnni(const DepthwiseBlock& b) { multiply_all(b, b.columns * b.tap_groups * 4); }

void depthwise_rows_avx512_vnni(const DepthwiseRows& b) { multiply_all(b, b.size * ((b.size + 3) / 4) * 4); }

}  // namespace octavo
