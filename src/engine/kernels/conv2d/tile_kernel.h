#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/amx/tiles.h"
#include "engine/kernels/conv2d/finish_rows.h"
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

/// A multiplied block whose sums wait to be requantized.
template <OutputForm form>
struct Pending {
  const std::int32_t* sums;
  std::uint8_t* const* dst;
  const std::uint8_t* const* residual;
  PanelNumbers numbers;

  /// `rows` from `row` on: 0..15 of the first tile of pixels, 16..31 of the second.
  template <int row, int rows>
  OCTAVO_INLINE void finish(const OutputRule& rule) const {
    constexpr bool adds = kAddsResidual<form> || form == OutputForm::exact_residual;
    finish_rows<form, rows>(sums + row * kTilePanel, dst + row, adds ? residual + row : nullptr, numbers,
                            rule);
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
template <class Tiles, OutputForm form, bool streamed, int row_pairs, Schedule schedule, int part = 0>
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
  constexpr int kRows = row_pairs - part % 4 * 2 < 2 ? 2 : 4;
  if (has_before) before.template finish<kRow, kRows>(w.rule.exact);
  if constexpr (is_last) {
    if constexpr (!halves) store_sums<Tiles, 0>(sums), store_sums<Tiles, 1>(sums);
    store_sums<Tiles, 2>(sums), store_sums<Tiles, 3>(sums);
  } else {
    multiply_parts<Tiles, form, streamed, row_pairs, schedule, part + 1>(w, b, ends, done, sums, has_before,
                                                                         before, ahead);
  }
}

/// What is left of one of the last blocks.
template <OutputForm form, int row_pairs, int part = 0>
OCTAVO_INLINE void finish_parts(const Pending<form>& before, const OutputRule& rule) {
  if constexpr (part < kParts) {
    constexpr int kRows = row_pairs - part % 4 * 2 < 2 ? 2 : 4;
    before.template finish<part / 4 * kTileRows + part % 4 * 4, kRows>(rule);
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

template <class Tiles, OutputForm form, bool streamed, int row_pairs, Schedule schedule>
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
    if constexpr (kAddsResidual<form> || form == OutputForm::exact_residual) {
      newest.residual = w.residual + walk.tile * kTileRows;
    }
    newest.numbers = numbers_of(w.rule, channel, w.channels);
    if (waiting < lag) ++waiting;
    sums = sums == w.sums + lag * kTileBlockSums ? w.sums : sums + kTileBlockSums;
  }
  if (waiting == lag) finish_parts<form, row_pairs>(before, w.rule.exact);
  if (lag == 2 && waiting > 0) finish_parts<form, row_pairs>(last, w.rule.exact);
}

template <class Tiles, OutputForm form, bool streamed, int row_pairs>
void multiply_scheduled(const TileWork& w) {
  if constexpr (kAddsResidual<form>) {
    if (w.step_count <= 2) return multiply_all<Tiles, form, streamed, row_pairs, Schedule::early>(w);
    multiply_all<Tiles, form, streamed, row_pairs, Schedule::halves>(w);
  } else {
    multiply_all<Tiles, form, streamed, row_pairs, Schedule::steps>(w);
  }
}

template <class Tiles, OutputForm form>
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
    case OutputForm::stored:
      multiply_form<Tiles, OutputForm::stored>(w);
      break;
    case OutputForm::residual:
      multiply_form<Tiles, OutputForm::residual>(w);
      break;
    case OutputForm::stored_plain:
      multiply_form<Tiles, OutputForm::stored_plain>(w);
      break;
    case OutputForm::residual_plain:
      multiply_form<Tiles, OutputForm::residual_plain>(w);
      break;
    case OutputForm::stored_bare:
      multiply_form<Tiles, OutputForm::stored_bare>(w);
      break;
    case OutputForm::residual_bare:
      multiply_form<Tiles, OutputForm::residual_bare>(w);
      break;
    case OutputForm::exact:
      multiply_form<Tiles, OutputForm::exact>(w);
      break;
    case OutputForm::exact_residual:
      multiply_form<Tiles, OutputForm::exact_residual>(w);
      break;
    case OutputForm::real:
      multiply_form<Tiles, OutputForm::real>(w);
      break;
  }
  Tiles::release();
}

}  // namespace
}  // namespace octavo
