#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/amx/tiles.h"
#include "engine/kernels/conv2d/tile_block.h"

// The tile convolution, for files compiled for AMX or for AVX-512 VNNI with emulated tiles. All of it has
// internal linkage.
//
// A block is 2 tiles of pixels x 1 panel: tiles 0, 1 are the sums of the first tile of pixels (16 channels
// each), 2, 3 those of the second, 4, 5 the pixels, 6, 7 the weights. While a block is multiplied, the sums
// of the block before it are requantized between the steps: tile products and vector instructions overlap.

namespace octavo {
namespace {

/// How far ahead weights are asked for: the latency of L3 at the rate at which they are used.
constexpr std::int64_t kAheadBytes = 16 * 1024;

#define OCTAVO_INLINE inline __attribute__((always_inline))

/// The rule's numbers for one panel.
struct PanelNumbers {
  __m512 bias[2], multiplier[2];
  __m512 bias_factor, lowest, highest, q_factor, r_factor, offset;
  __m512i zero_point, lowest_y, highest_y, flip;
  __mmask32 there;
  std::int64_t channel;
};

template <TileForm form>
constexpr bool kAddsResidual = form == TileForm::residual || form == TileForm::residual_plain;
template <TileForm form>
constexpr bool kIsPlain = form == TileForm::stored_plain || form == TileForm::residual_plain;
template <TileForm form>
constexpr bool kIsFast = kAddsResidual<form> || kIsPlain<form> || form == TileForm::stored;

OCTAVO_INLINE PanelNumbers numbers_of(const TileWork& w, std::int64_t panel) {
  const TileRule& rule = w.rule;
  PanelNumbers n;
  n.channel = panel * kTilePanel;
  for (int i = 0; i < 2; ++i) {
    n.bias[i] = _mm512_loadu_ps(rule.exact.bias + n.channel + 16 * i);
    n.multiplier[i] = _mm512_loadu_ps(rule.exact.multiplier + n.channel + 16 * i);
  }
  n.bias_factor = _mm512_set1_ps(rule.exact.bias_factor);
  n.lowest = _mm512_set1_ps(rule.lowest);
  n.highest = _mm512_set1_ps(rule.highest);
  n.q_factor = _mm512_set1_ps(rule.q_factor);
  n.r_factor = _mm512_set1_ps(rule.r_factor);
  n.offset = _mm512_set1_ps(rule.offset);
  n.zero_point = _mm512_set1_epi16(rule.zero_point);
  n.lowest_y = _mm512_set1_epi8(static_cast<char>(rule.lowest_y));
  n.highest_y = _mm512_set1_epi8(static_cast<char>(rule.highest_y));
  n.flip = _mm512_set1_epi8(static_cast<char>(rule.flip));
  const std::int64_t left = w.channels - n.channel;
  n.there = left >= kTilePanel ? 0xFFFFFFFFU : (1U << left) - 1U;
  return n;
}

/// 16 stored residuals as reals.
template <TileForm form, int half>
OCTAVO_INLINE __m512 residual_of(const std::uint8_t* residual, const PanelNumbers& n) {
  const auto* from = reinterpret_cast<const __m128i*>(residual + n.channel + 16 * half);
  const auto there = static_cast<__mmask16>(n.there >> (16 * half));
  const __m128i r = kIsPlain<form> ? _mm_loadu_si128(from) : _mm_maskz_loadu_epi8(there, from);
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(r));
}

/// Requantizes `pairs` times two rows of 32 sums, stage by stage: neighbouring instructions do not wait for
/// each other.
template <TileForm form, int pairs>
OCTAVO_INLINE void finish_fast(const std::int32_t* sums, std::uint8_t* const* dst,
                               const std::uint8_t* const* residual, const PanelNumbers& n) {
  constexpr int kVectors = 4 * pairs;
  __m512 v[kVectors], r[kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) v[i] = _mm512_cvtepi32_ps(_mm512_load_si512(sums + 16 * i));
  if constexpr (kAddsResidual<form>) {
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; i += 2) {
      r[i] = residual_of<form, 0>(residual[i / 2], n);
      r[i + 1] = residual_of<form, 1>(residual[i / 2], n);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) v[i] = _mm512_fmadd_ps(n.bias[i & 1], n.bias_factor, v[i]);
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) v[i] = _mm512_mul_ps(v[i], n.multiplier[i & 1]);
  if constexpr (kAddsResidual<form>) {
    // Adding and taking away 1.5 * 2^23 rounds to even what is smaller than 2^22.
    const __m512 magic = _mm512_set1_ps(12582912.0F);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) r[i] = _mm512_fmadd_ps(r[i], n.r_factor, n.offset);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_min_ps(n.highest, _mm512_max_ps(v[i], n.lowest));
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_add_ps(v[i], magic);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_sub_ps(v[i], magic);
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) v[i] = _mm512_fmadd_ps(v[i], n.q_factor, r[i]);
  }
  __m512i y[kVectors];
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; ++i) y[i] = _mm512_cvtps_epi32(v[i]);
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; i += 2) {
    y[i] = _mm512_packs_epi32(y[i], y[i + 1]);
    if constexpr (!kIsPlain<form>) y[i] = _mm512_adds_epi16(y[i], n.zero_point);
  }
  // Packing goes lane by lane: 4 channels of each half of each row stand together.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
#pragma GCC unroll 8
  for (int i = 0; i < kVectors; i += 4) {
    __m512i bytes = _mm512_packus_epi16(y[i], y[i + 2]);
    if constexpr (!kIsPlain<form>) {
      bytes = _mm512_min_epu8(n.highest_y, _mm512_max_epu8(bytes, n.lowest_y));
      bytes = _mm512_xor_si512(bytes, n.flip);
    }
    bytes = _mm512_permutexvar_epi32(order, bytes);
    const __m256i first = _mm512_castsi512_si256(bytes), second = _mm512_extracti64x4_epi64(bytes, 1);
    std::uint8_t *to_first = dst[i / 2] + n.channel, *to_second = dst[i / 2 + 1] + n.channel;
    if constexpr (kIsPlain<form>) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_first), first);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_second), second);
    } else {
      _mm256_mask_storeu_epi8(to_first, n.there, first);
      _mm256_mask_storeu_epi8(to_second, n.there, second);
    }
  }
}

OCTAVO_INLINE __m512 between(__m512 v, float lowest, float highest) {
  return _mm512_min_ps(_mm512_set1_ps(highest), _mm512_max_ps(v, _mm512_set1_ps(lowest)));
}

OCTAVO_INLINE __m512i exact_stored(__m512i sum, const OutputRule& rule, std::int64_t channel) {
  __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(rule.bias + channel), _mm512_set1_ps(rule.bias_factor),
                             _mm512_cvtepi32_ps(sum));
  v = between(_mm512_mul_ps(v, _mm512_loadu_ps(rule.multiplier + channel)), rule.lowest, rule.highest);
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.zero_point));
}

OCTAVO_INLINE __m512i exact_residual(__m512i sum, __m128i r8, const OutputRule& rule, std::int64_t channel) {
  const __m512i r = rule.r_is_signed != 0 ? _mm512_cvtepi8_epi32(r8) : _mm512_cvtepu8_epi32(r8);
  const __m512 q_real = _mm512_fmadd_ps(_mm512_cvtepi32_ps(exact_stored(sum, rule, channel)),
                                        _mm512_set1_ps(rule.q_scale), _mm512_set1_ps(rule.q_offset));
  const __m512 r_real =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(r), _mm512_set1_ps(rule.r_scale), _mm512_set1_ps(rule.r_offset));
  __m512 v = _mm512_mul_ps(_mm512_add_ps(q_real, r_real), _mm512_set1_ps(rule.inverse_scale));
  v = between(v, rule.sum_lowest, rule.sum_highest);
  return _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(rule.sum_zero_point));
}

/// 16 sums of one row, any OutputRule.
template <TileForm form>
OCTAVO_INLINE void finish_exact(const std::int32_t* sums, std::uint8_t* dst, const std::uint8_t* residual,
                                const PanelNumbers& n, const OutputRule& rule, int half) {
  const __m512i sum = _mm512_load_si512(sums);
  const std::int64_t channel = n.channel + 16 * half;
  const auto there = static_cast<__mmask16>(n.there >> (16 * half));
  if constexpr (form == TileForm::exact) {
    _mm_mask_storeu_epi8(dst + channel, there, _mm512_cvtepi32_epi8(exact_stored(sum, rule, channel)));
  } else if constexpr (form == TileForm::exact_residual) {
    const __m128i r = _mm_maskz_loadu_epi8(there, residual + channel);
    _mm_mask_storeu_epi8(dst + channel, there, _mm512_cvtepi32_epi8(exact_residual(sum, r, rule, channel)));
  } else {
    __m512 v = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(rule.multiplier + channel));
    v = between(_mm512_add_ps(v, _mm512_loadu_ps(rule.bias + channel)), rule.lowest, rule.highest);
    _mm512_mask_storeu_ps(dst + 4 * channel, there, v);
  }
}

/// A multiplied block whose sums wait to be requantized.
template <TileForm form>
struct Pending {
  const std::int32_t* sums;
  std::uint8_t* const* dst;
  const std::uint8_t* const* residual;
  PanelNumbers numbers;

  /// `pairs` times two rows from `row` on: 0..15 of the first tile of pixels, 16..31 of the second.
  template <int row, int pairs>
  OCTAVO_INLINE void finish(const OutputRule& rule) const {
    const std::int32_t* from = sums + row * kTilePanel;
    if constexpr (kIsFast<form>) {
      finish_fast<form, pairs>(from, dst + row, kAddsResidual<form> ? residual + row : nullptr, numbers);
    } else {
      for (int i = 0; i < 4 * pairs; ++i) {
        const std::uint8_t* r = form == TileForm::exact_residual ? residual[row + i / 2] : nullptr;
        finish_exact<form>(from + 16 * i, dst[row + i / 2], r, numbers, rule, i & 1);
      }
    }
  }
};

/// Weights on their way from memory to L2 while others are multiplied.
struct Ahead {
  const std::uint8_t* next;
  const std::uint8_t* end;
  int lines;

  OCTAVO_INLINE void fetch() {
    if (next >= end) return;
    for (int i = 0; i < lines; ++i) _mm_prefetch(next + 64 * i, _MM_HINT_T1);
    next += 64 * lines;
  }
};

/// The operands of one block.
struct BlockOperands {
  const std::uint8_t* first;
  const std::uint8_t* second;
  std::int64_t row_stride;
  const std::int64_t* steps;
  const std::uint8_t* weights;
};

template <class Tiles, bool streamed, int tile>
OCTAVO_INLINE void load_weights(const BlockOperands& b, std::int64_t k) {
  const std::uint8_t* from = b.weights + k * kTileStepWeights + (tile - 6) * (kTileStepWeights / 2);
  if constexpr (streamed) {
    Tiles::template load_streamed<tile>(from, 64);
  } else {
    Tiles::template load<tile>(from, 64);
  }
}

/// Step `k`: 2 x 2 products.
template <class Tiles, bool streamed>
OCTAVO_INLINE void multiply_step(const BlockOperands& b, std::int64_t k) {
  load_weights<Tiles, streamed, 6>(b, k);
  Tiles::template load<4>(b.first + b.steps[k], b.row_stride);
  Tiles::template dot_us<0, 4, 6>();
  Tiles::template load<5>(b.second + b.steps[k], b.row_stride);
  Tiles::template dot_us<2, 5, 6>();
  load_weights<Tiles, streamed, 7>(b, k);
  Tiles::template dot_us<1, 4, 7>();
  Tiles::template dot_us<3, 5, 7>();
}

/// The same in two halves: the products of the first tile of pixels, then those of the second.
template <class Tiles, bool streamed>
OCTAVO_INLINE void multiply_half_step(const BlockOperands& b, std::int64_t half) {
  const std::int64_t k = half / 2;
  if (half % 2 == 0) {
    load_weights<Tiles, streamed, 6>(b, k);
    Tiles::template load<4>(b.first + b.steps[k], b.row_stride);
    Tiles::template dot_us<0, 4, 6>();
    load_weights<Tiles, streamed, 7>(b, k);
    Tiles::template dot_us<1, 4, 7>();
  } else {
    Tiles::template load<5>(b.second + b.steps[k], b.row_stride);
    Tiles::template dot_us<2, 5, 6>();
    Tiles::template dot_us<3, 5, 7>();
  }
}

/// Sums begin with their channel's start: one row of 16, loaded as every row of the tile.
template <class Tiles, int tile>
OCTAVO_INLINE void begin_sums(const TileWork& w, std::int64_t channel) {
  if (w.starts_at_zero != 0) {
    Tiles::template zero<tile>();
  } else {
    Tiles::template load<tile>(w.rule.exact.start + channel + 16 * (tile & 1), 0);
  }
}

template <class Tiles, int tile>
OCTAVO_INLINE void store_sums(std::int32_t* sums) {
  Tiles::template store<tile>(sums + (tile / 2) * kTileRows * kTilePanel + 16 * (tile & 1), 4 * kTilePanel);
}

/// The rows of a block are requantized in 8 parts, 4 rows each, or fewer at the end of a tile with
/// `row_pairs` < 8 pairs of rows.
constexpr int kParts = 8;

/// When a block is multiplied and when the sums of an earlier one are requantized: what measured best
/// (docs/performance.md). Sums that were just stored cannot be loaded at once.
enum class Schedule {
  steps,   ///< some steps, a part of the block before, and so on
  early,   ///< a step before each of the first parts: short sums with a residual, whose parts take long
  halves,  ///< half a step after each part of the block before the last one: longer sums with a residual
};

/// How many blocks later sums are requantized.
template <Schedule schedule>
constexpr int kLag = schedule == Schedule::halves ? 2 : 1;

/// A block's products, stored in `sums`, with the parts of an earlier block between them; `ends`: steps or
/// halves that stand before the end of each part. The last part stands between the last product and the
/// stores of (most of) the sums, which so need not wait for it.
template <class Tiles, TileForm form, bool streamed, int row_pairs, Schedule schedule, int part = 0>
OCTAVO_INLINE void multiply_parts(const TileWork& w, const BlockOperands& b, const std::int64_t* ends,
                                  std::int64_t done, std::int32_t* sums, bool has_before,
                                  const Pending<form>& before, Ahead& ahead) {
  constexpr bool halves = schedule == Schedule::halves;
  for (; done < ends[part]; ++done) {
    if constexpr (halves) {
      multiply_half_step<Tiles, streamed>(b, done);
    } else {
      multiply_step<Tiles, streamed>(b, done);
      ahead.fetch();
    }
  }
  constexpr bool is_last = part + 1 == kParts;
  if constexpr (is_last && halves) store_sums<Tiles, 0>(sums), store_sums<Tiles, 1>(sums);
  constexpr int kRow = part / 4 * kTileRows + part % 4 * 4;
  constexpr int kPairs = row_pairs - part % 4 * 2 < 2 ? row_pairs - part % 4 * 2 : 2;
  if (has_before) before.template finish<kRow, kPairs>(w.rule.exact);
  if constexpr (is_last) {
    if constexpr (!halves) store_sums<Tiles, 0>(sums), store_sums<Tiles, 1>(sums);
    store_sums<Tiles, 2>(sums), store_sums<Tiles, 3>(sums);
  } else {
    multiply_parts<Tiles, form, streamed, row_pairs, schedule, part + 1>(w, b, ends, done, sums, has_before,
                                                                         before, ahead);
  }
}

/// What is left of one of the last blocks.
template <TileForm form, int row_pairs, int part = 0>
OCTAVO_INLINE void finish_parts(const Pending<form>& before, const OutputRule& rule) {
  if constexpr (part < kParts) {
    constexpr int kPairs = row_pairs - part % 4 * 2 < 2 ? row_pairs - part % 4 * 2 : 2;
    before.template finish<part / 4 * kTileRows + part % 4 * 4, kPairs>(rule);
    finish_parts<form, row_pairs, part + 1>(before, rule);
  }
}

/// Walks the blocks: groups of panels, in a group pairs of tiles, for each all the group's panels.
struct BlockWalk {
  std::int64_t panels, tile_count, group;
  std::int64_t tile = 0, panel = 0, group_begin = 0;

  [[nodiscard]] OCTAVO_INLINE std::int64_t group_end() const {
    return group_begin + group < panels ? group_begin + group : panels;
  }
  OCTAVO_INLINE void next() {
    if (++panel < group_end()) return;
    panel = group_begin;
    tile += 2;
    if (tile < tile_count) return;
    tile = 0;
    group_begin = panel = group_end();
  }
};

template <class Tiles, TileForm form, bool streamed, int row_pairs, Schedule schedule>
void multiply_all(const TileWork& w) {
  std::int64_t ends[kParts];
  const std::int64_t slots = schedule == Schedule::halves ? 2 * w.step_count : w.step_count;
  for (int i = 0; i < kParts; ++i) {
    ends[i] =
        schedule == Schedule::early ? (i < slots ? i + 1 : slots) : ((i + 1) * slots + kParts - 1) / kParts;
  }
  const std::int64_t panel_bytes = w.step_count * kTileStepWeights;
  Ahead ahead{w.weights + kAheadBytes, w.weights + w.panels * panel_bytes, w.lines_ahead};
  if (w.lines_ahead == 0) ahead.next = ahead.end;
  constexpr int lag = kLag<schedule>;
  Pending<form> before, last;  // the block before, for a lag of 2 the last but one; and the last
  int waiting = 0;
  BlockWalk walk{w.panels, w.tile_count, w.group};
  std::int32_t* sums = w.sums;
  for (; walk.group_begin < w.panels; walk.next()) {
    const BlockOperands operands{w.tiles[walk.tile], w.tiles[walk.tile + 1], w.row_stride, w.steps,
                                 w.weights + walk.panel * panel_bytes};
    const std::int64_t channel = walk.panel * kTilePanel;
    begin_sums<Tiles, 0>(w, channel);
    begin_sums<Tiles, 1>(w, channel);
    begin_sums<Tiles, 2>(w, channel);
    begin_sums<Tiles, 3>(w, channel);
    multiply_parts<Tiles, form, streamed, row_pairs, schedule>(w, operands, ends, 0, sums, waiting == lag,
                                                               before, ahead);
    if constexpr (lag == 2) before = last;
    Pending<form>& newest = lag == 2 ? last : before;
    newest.sums = sums;
    newest.dst = w.dst + walk.tile * kTileRows;
    if constexpr (kAddsResidual<form> || form == TileForm::exact_residual) {
      newest.residual = w.residual + walk.tile * kTileRows;
    }
    newest.numbers = numbers_of(w, walk.panel);
    if (waiting < lag) ++waiting;
    sums = sums == w.sums + lag * kTileBlockSums ? w.sums : sums + kTileBlockSums;
  }
  if (waiting == lag) finish_parts<form, row_pairs>(before, w.rule.exact);
  if (lag == 2 && waiting > 0) finish_parts<form, row_pairs>(last, w.rule.exact);
}

template <class Tiles, TileForm form, bool streamed, int row_pairs>
void multiply_scheduled(const TileWork& w) {
  if constexpr (kAddsResidual<form>) {
    if (w.step_count <= 2) return multiply_all<Tiles, form, streamed, row_pairs, Schedule::early>(w);
    multiply_all<Tiles, form, streamed, row_pairs, Schedule::halves>(w);
  } else {
    multiply_all<Tiles, form, streamed, row_pairs, Schedule::steps>(w);
  }
}

template <class Tiles, TileForm form>
void multiply_form(const TileWork& w) {
  if constexpr (kIsFast<form>) {
    const bool is_short = w.rows <= 14;
    if (w.streams_weights != 0) {
      return is_short ? multiply_scheduled<Tiles, form, true, 7>(w)
                      : multiply_scheduled<Tiles, form, true, 8>(w);
    }
    if (is_short) return multiply_scheduled<Tiles, form, false, 7>(w);
  }
  multiply_scheduled<Tiles, form, false, 8>(w);
}

template <class Tiles>
void multiply_tiles(const TileWork& w) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kTileStepBytes;
    config.rows[tile] = static_cast<std::uint8_t>(tile < 6 ? w.rows : kTileRows);
  }
  Tiles::configure(config);
  Tiles::publish();
  switch (w.form) {
    case TileForm::stored:
      multiply_form<Tiles, TileForm::stored>(w);
      break;
    case TileForm::residual:
      multiply_form<Tiles, TileForm::residual>(w);
      break;
    case TileForm::stored_plain:
      multiply_form<Tiles, TileForm::stored_plain>(w);
      break;
    case TileForm::residual_plain:
      multiply_form<Tiles, TileForm::residual_plain>(w);
      break;
    case TileForm::exact:
      multiply_form<Tiles, TileForm::exact>(w);
      break;
    case TileForm::exact_residual:
      multiply_form<Tiles, TileForm::exact_residual>(w);
      break;
    case TileForm::real:
      multiply_form<Tiles, TileForm::real>(w);
      break;
  }
  Tiles::release();
}

#undef OCTAVO_INLINE

}  // namespace
}  // namespace octavo
