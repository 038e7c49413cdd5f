#include <utility>

#include "engine/kernels/dlrm/finish_avx512.h"
#include "engine/kernels/vnni.h"

// The sums of a block of samples stay in registers and are requantized between the products of the next
// block, as in conv2d/direct_avx512_vnni.cpp.

namespace octavo {
namespace {

constexpr int kRows = 7;  ///< samples of a block; x 2 vectors of 16 outputs = 14 sums
constexpr int kVectors = 2 * kRows;

/// One panel of a layer.
struct Panel {
  const DlrmLayerWork& w;
  const std::int8_t* weights;
  std::int64_t number;
  PanelRule rule;
  __m512i order, start[2];

  Panel(const DlrmLayerWork& work, std::int64_t panel)
      : w(work),
        weights(work.weights + panel * work.steps * kDlrmStepBytes),
        number(panel),
        rule(panel_rule(work, panel)),
        order(pair_order()) {
    for (std::int64_t half = 0; half < 2; ++half) {
      const __m512i excess = _mm512_loadu_si512(work.excess + panel * kDlrmPanel + 16 * half);
      start[half] = _mm512_setzero_si512();
      if (work.src_is_signed != 0) start[half] = _mm512_sub_epi32(start[half], excess);
    }
  }
  [[nodiscard]] OCTAVO_INLINE const std::uint8_t* src(std::int64_t sample) const {
    return w.src + place_of(sample, w.steps);
  }
  [[nodiscard]] OCTAVO_INLINE std::uint8_t* dst(std::int64_t sample) const {
    return panel_dst(w, 0, number) + place_of(sample, w.dst_steps);
  }
  /// Of a sample in packed activations.
  static OCTAVO_INLINE std::int64_t place_of(std::int64_t sample, std::int64_t steps) {
    const std::int64_t row = sample & (kDlrmGroup - 1);  // a remainder asks for the sign
    return (sample - row) * steps * kDlrmStep + row * kDlrmStep;
  }
  /// The compiler forgets what it has loaded: the numbers in registers would drive sums out.
  OCTAVO_INLINE void leave_in_memory() const { asm volatile("" : : "r"(this) : "memory"); }
};

/// The sums of `rows` samples from `first` on, two vectors each. Calls walk(take), which calls take(count)
/// for all quads, in order, and may do other things between.
template <int rows, class Walk>
OCTAVO_INLINE void multiply(const Panel& panel, std::int64_t first, __m512i* sum, const Walk& walk) {
  const std::uint8_t* src[rows];
#pragma GCC unroll 8
  for (std::int64_t row = 0; row < rows; ++row) {
    src[row] = panel.src(first + row);
    sum[2 * row] = panel.start[0];
    sum[2 * row + 1] = panel.start[1];
  }
  const std::int8_t* weights = panel.weights;
  std::int64_t at = 0, left = kDlrmStep;  // bytes of a step
  const auto take = [&](std::int64_t count) __attribute__((always_inline)) {
    for (std::int64_t bytes = 4 * count; bytes > 0;) {
      const std::int64_t here = bytes < left ? bytes : left;
      for (const std::int64_t end = at + here; at < end; at += 4, weights += 64) {
        const __m512i w_low = _mm512_load_si512(weights);
        const __m512i w_high = _mm512_load_si512(weights + kDlrmStepBytes / 2);
#pragma GCC unroll 8
        for (std::int64_t row = 0; row < rows; ++row) {
          const __m512i x = broadcast4(src[row] + at);
          sum[2 * row] = with_products(sum[2 * row], x, w_low);
          sum[2 * row + 1] = with_products(sum[2 * row + 1], x, w_high);
        }
      }
      bytes -= here;
      left -= here;
      if (left == 0) {
        left = kDlrmStep;
        at += kDlrmStepBytes - kDlrmStep;
        weights += kDlrmStepBytes / 2;
      }
    }
  };
  walk(take);
}

/// A single sample has eight sums under way: two would wait for themselves.
OCTAVO_INLINE void multiply_one(const Panel& panel, std::int64_t sample, __m512i* sum) {
  __m512i chains[4][2] = {{panel.start[0], panel.start[1]}};
  const std::uint8_t* src = panel.src(sample);
  const std::int8_t* weights = panel.weights;
  for (std::int64_t left = panel.w.quads; left > 0;
       left -= 16, src += kDlrmStepBytes, weights += kDlrmStepBytes) {
    const std::int64_t quads = left < 16 ? left : 16;
    for (std::int64_t quad = 0; quad < quads; quad += 4) {
#pragma GCC unroll 4
      for (std::int64_t i = 0; i < 4; ++i) {
        const __m512i x = broadcast4(src + 4 * (quad + i));
        const std::int8_t* const low = weights + 64 * (quad + i);
        chains[i][0] = with_products(chains[i][0], x, low);
        chains[i][1] = with_products(chains[i][1], x, low + kDlrmStepBytes / 2);
      }
    }
  }
  for (int half = 0; half < 2; ++half) {
    sum[half] = _mm512_add_epi32(_mm512_add_epi32(chains[0][half], chains[1][half]),
                                 _mm512_add_epi32(chains[2][half], chains[3][half]));
  }
}

/// Requantization of two samples, or the last one, of a block from `first` on, in stages that may stand
/// between other products.
template <std::int64_t row, std::int64_t rows>
struct Finishing {
  static constexpr int count = rows - row < 2 ? 2 : 4;  ///< vectors
  OCTAVO_INLINE static void round(__m512i* sums, const Panel& panel) {
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i) sums[2 * row + i] = rounded(sums[2 * row + i], panel.rule, i % 2);
  }
  OCTAVO_INLINE static void store(const __m512i* sums, const Panel& panel, std::int64_t first) {
    const __m512i* const at = sums + 2 * row;
    const __m512i low = _mm512_packs_epi32(at[0], at[1]);
    const __m512i high = count > 2 ? _mm512_packs_epi32(at[2], at[3]) : low;
    const __m512i bytes = _mm512_permutexvar_epi32(
        panel.order, _mm512_min_epu8(_mm512_packus_epi16(low, high), panel.rule.highest));
    const auto to = [&](std::int64_t r) { return reinterpret_cast<__m256i*>(panel.dst(first + r)); };
    _mm256_store_si256(to(row), _mm512_castsi512_si256(bytes));
    if constexpr (count > 2) _mm256_store_si256(to(row + 1), _mm512_extracti64x4_epi64(bytes, 1));
  }
};

template <int rows>
constexpr int kParts = (rows + 1) / 2 * 2;

template <int rows, int part>
OCTAVO_INLINE void finish_part(__m512i* sums, const Panel& panel, std::int64_t first) {
  using Pair = Finishing<part & ~1, rows>;
  panel.leave_in_memory();
  if constexpr (part % 2 == 0) {
    Pair::round(sums, panel);
  } else {
    Pair::store(sums, panel, first);
  }
}

template <int rows>
OCTAVO_INLINE void finish(__m512i* sums, const Panel& panel, std::int64_t first) {
  const auto all = [&]<int... part>(std::integer_sequence<int, part...>) __attribute__((always_inline)) {
    (finish_part<rows, part>(sums, panel, first), ...);
  };
  all(std::make_integer_sequence<int, kParts<rows>>());
}

/// `count` blocks, at least one.
void multiply_blocks(const Panel& panel, std::int64_t count) {
  const std::int64_t quads = panel.w.quads;
  __m512i sum[kVectors], done[kVectors];
  for (std::int64_t first = 0; first < count * kRows; first += kRows) {
    multiply<kRows>(
        panel, first, sum, [&](const auto& take) __attribute__((always_inline)) {
          if (first == 0) return take(quads);
          constexpr int kAll = kParts<kRows>;
          const auto all = [&]<int... part>(std::integer_sequence<int, part...>)
              __attribute__((always_inline)) {
            ((take(quads * (part + 1) / kAll - quads * part / kAll),
              finish_part<kRows, part>(done, panel, first - kRows)),
             ...);
          };
          all(std::make_integer_sequence<int, kAll>());
        });
#pragma GCC unroll 14
    for (int i = 0; i < kVectors; ++i) done[i] = sum[i];
  }
  finish<kRows>(done, panel, (count - 1) * kRows);
}

template <int rows>
void multiply_few(const Panel& panel, std::int64_t first) {
  __m512i sum[2 * rows];
  if constexpr (rows == 1) {
    multiply_one(panel, first, sum);
  } else {
    multiply<rows>(
        panel, first, sum, [&](const auto& take) __attribute__((always_inline)) { take(panel.w.quads); });
  }
  finish<rows>(sum, panel, first);
}

}  // namespace

void dlrm_layer_avx512_vnni(const DlrmLayerWork& w) {
  for (std::int64_t i = 0; i < w.panels; ++i) {
    const Panel panel(w, w.backwards != 0 ? w.panels - 1 - i : i);
    std::int64_t first = 0;
    if (w.quads >= kParts<kRows>) {
      const std::int64_t blocks = w.samples / kRows;
      if (blocks > 0) multiply_blocks(panel, blocks);
      first = blocks * kRows;
    }
    for (; w.samples - first >= 8; first += 8) multiply_few<8>(panel, first);
    for (; w.samples - first >= 4; first += 4) multiply_few<4>(panel, first);
    for (; first < w.samples; ++first) multiply_few<1>(panel, first);
  }
}

void dlrm_input_avx512_vnni(const DlrmInputWork& w) {
  const __m512 inverse = _mm512_set1_ps(w.inverse_scale);
  const __m512 lowest = _mm512_set1_ps(static_cast<float>(-w.zero_point));
  const __m512 highest = _mm512_set1_ps(static_cast<float>(255 - w.zero_point));
  for (std::int64_t m = 0; m < w.samples; ++m) {
    std::uint8_t* const sample =
        w.packed + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    for (std::int64_t i = 0; i < w.features; i += 16) {
      const std::int64_t left = w.features - i;
      const auto there = static_cast<__mmask16>(left >= 16 ? 0xFFFF : (1 << left) - 1);
      const __m512 x = _mm512_mul_ps(_mm512_maskz_loadu_ps(there, w.dense + m * w.features + i), inverse);
      const __m512 rounded_x = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      const __m512 inside = _mm512_min_ps(highest, _mm512_max_ps(rounded_x, lowest));
      const __m512i q = _mm512_add_epi32(_mm512_cvtps_epi32(inside), _mm512_set1_epi32(w.zero_point));
      _mm_store_si128(reinterpret_cast<__m128i*>(sample + i / kDlrmStep * kDlrmStepBytes + i % kDlrmStep),
                      _mm512_cvtepi32_epi8(q));
    }
  }
}

void dlrm_last_avx512_vnni(const DlrmLastWork& w) {
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(w.src_is_signed != 0 ? 0x80 : 0));
  for (std::int64_t m = 0; m < w.samples; ++m) {
    const std::uint8_t* const src =
        w.src + m / kDlrmGroup * w.steps * kDlrmStepBytes + m % kDlrmGroup * kDlrmStep;
    __m512i sum = _mm512_setzero_si512();
    for (std::int64_t step = 0; step < w.steps; ++step) {
      const __m512i x = _mm512_xor_si512(_mm512_load_si512(src + step * kDlrmStepBytes), flip);
      sum = _mm512_dpbusd_epi32(sum, x, _mm512_loadu_si512(w.weights + step * kDlrmStep));
    }
    w.dst[m] =
        __builtin_fmaf(static_cast<float>(_mm512_reduce_add_epi32(sum) - w.excess), w.multiplier, w.bias);
  }
}

}  // namespace octavo
