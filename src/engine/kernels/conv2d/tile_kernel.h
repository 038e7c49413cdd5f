#pragma once
#include <immintrin.h>

#include <cstdint>
#include <type_traits>

#include "engine/kernels/amx/tiles.h"
#include "engine/kernels/conv2d/finish_rows.h"
#include "engine/kernels/conv2d/tile_block.h"

// The tile convolution, for files compiled for AMX or for AVX-512 VNNI with emulated tiles. All of it has
// internal linkage.
//
// A block is 2 tiles of pixels x 1 panel: tiles 0, 1 are the sums of the first tile of pixels (16 channels
// each), 2, 3 those of the second, 4, 5 the pixels, 6, 7 the weights. While a block is multiplied, the sums
// of the last block but one are requantized between the products: tile products and vector instructions
// overlap.

namespace octavo {
namespace {

/// A multiplied block whose sums wait to be requantized.
template <OutputForm form>
struct Pending {
  std::int32_t* sums;
  std::uint8_t* const* dst;
  const std::uint8_t* const* residual;
  std::int64_t rows_ahead;  ///< this many rows on, results and residuals are asked for; 0 = not
  PanelNumbers numbers;

  /// `rows` from `row` on: 0..15 of the first tile of pixels, 16..31 of the second. `is_whole`: the panel is,
  /// as is known while compiling.
  template <int rows, bool is_whole>
  OCTAVO_INLINE void finish(const OutputRule& rule, std::int64_t row) const {
    constexpr bool adds = kAddsResidual<form> || form == OutputForm::exact_residual;
    if constexpr (adds) {
      if (rows_ahead != 0) fetch<rows>(row + rows_ahead);
    }
    const std::int32_t* const from = sums + row * kTilePanel;
    const std::uint8_t* const* const added = adds ? residual + row : nullptr;
    if constexpr (is_whole) {
      finish_fast<form, rows, true>(from, dst + row, added, numbers);
    } else {
      finish_rows<form, rows>(from, dst + row, added, numbers, rule);
    }
  }

  template <int rows>
  OCTAVO_INLINE void fetch(std::int64_t row) const {
    if (numbers.channel % kLineBytes != 0) return;
    for (int i = 0; i < rows; ++i) {
      asm volatile("prefetchw %0" ::"m"(dst[row + i][numbers.channel]));
      _mm_prefetch(residual[row + i] + numbers.channel, _MM_HINT_T1);
    }
  }
};

/// Lines on their way to L2 while others are multiplied. Where several are asked for at a time, each is of
/// another page: the prefetcher behind L2 follows every page on its own, and memory answers 1.5 times as
/// fast (docs/performance.md).
struct Ahead {
  const std::uint8_t* next;  ///< the line in the first of `lines` pages, which go on together
  const std::uint8_t* end;
  int lines;  ///< at most as many as there are pages
  std::int64_t left_in_page = kPageLines;

  static constexpr std::int64_t kPageBytes = kPageLines * kLineBytes;

  OCTAVO_INLINE void fetch() {
    if (next >= end) return;
    const std::uint8_t* line = next;
    for (int i = 0; i < lines; ++i, line += kPageBytes) _mm_prefetch(line, _MM_HINT_T1);
    next += kLineBytes;
    if (--left_in_page > 0) return;
    next += (lines - 1) * kPageBytes;
    left_in_page = kPageLines;
    const std::int64_t pages = (end - next + kPageBytes - 1) / kPageBytes;
    if (pages < lines) lines = static_cast<int>(pages);
  }
};

/// The operands of one block, and where the sums go that are still in the tiles.
struct BlockOperands {
  const std::uint8_t* first;
  const std::uint8_t* second;
  std::int64_t row_stride;
  const std::int64_t* steps;
  const std::uint8_t* weights;
  std::int32_t* sums_before;
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

template <class Tiles, int tile>
OCTAVO_INLINE void store_sums(std::int32_t* sums) {
  Tiles::template store<tile>(sums + (tile / 2) * kTileRows * kTilePanel + 16 * (tile & 1), 4 * kTilePanel);
}

/// Between two blocks: the sums of the block before leave a tile and those of the next begin in it, at zero:
/// loading starts takes longer than adding them afterwards (docs/performance.md).
template <class Tiles, int tile>
OCTAVO_INLINE void change_sums(const BlockOperands& b) {
  store_sums<Tiles, tile>(b.sums_before);
  Tiles::template zero<tile>();
}

/// A quarter of step `k`, one product. A tile's sums are stored only when the next block needs the tile:
/// stored behind their last products they would hold up all that follows until those are done
/// (docs/performance.md).
template <class Tiles, bool streamed, int quarter, bool is_first>
OCTAVO_INLINE void multiply_quarter(const BlockOperands& b, std::int64_t k) {
  if constexpr (quarter == 0) {
    load_weights<Tiles, streamed, 6>(b, k);
    Tiles::template load<4>(b.first + b.steps[k], b.row_stride);
    if constexpr (is_first) change_sums<Tiles, 0>(b);
    Tiles::template dot_us<0, 4, 6>();
  } else if constexpr (quarter == 1) {
    Tiles::template load<5>(b.second + b.steps[k], b.row_stride);
    if constexpr (is_first) change_sums<Tiles, 2>(b);
    Tiles::template dot_us<2, 5, 6>();
  } else if constexpr (quarter == 2) {
    load_weights<Tiles, streamed, 7>(b, k);
    if constexpr (is_first) change_sums<Tiles, 1>(b);
    Tiles::template dot_us<1, 4, 7>();
  } else {
    if constexpr (is_first) change_sums<Tiles, 3>(b);
    Tiles::template dot_us<3, 5, 7>();
  }
}

/// The rows of a block are requantized in 8 parts, 4 rows each, or fewer at the end of a tile with
/// `row_pairs` < 8 pairs of rows; or each of these in two halves.
constexpr int kParts = 8;

template <OutputForm form, int row_pairs, bool is_whole = false>
OCTAVO_INLINE void finish_part(const Pending<form>& block, const OutputRule& rule, int part) {
  const std::int64_t row = part / 4 * kTileRows + part % 4 * 4;
  if (row_pairs < 8 && part % 4 == 3) {
    block.template finish<2, is_whole>(rule, row);
  } else {
    block.template finish<4, is_whole>(rule, row);
  }
}

template <OutputForm form, int row_pairs, bool is_whole>
OCTAVO_INLINE void finish_half(const Pending<form>& block, const OutputRule& rule, int half) {
  if (row_pairs < 8 && half % 8 == 7) return;
  block.template finish<2, is_whole>(rule, std::int64_t{2} * half);
}

/// Lines that each step asks L2 for.
struct Asked {
  Ahead ahead, next;

  OCTAVO_INLINE void fetch() {
    ahead.fetch();
    next.fetch();
  }
};

/// The schedule of 5 steps and more, below kManySteps.
constexpr int kSomeSteps = 5;
constexpr int kManySteps = 16;

/// A block that is multiplied while the last but one is requantized.
template <class Tiles, OutputForm form, bool streamed, int row_pairs, bool is_whole>
struct Beside {
  const BlockOperands& operands;
  const Pending<form>& before;
  const OutputRule& rule;

  /// All `steps`, and no parts.
  OCTAVO_INLINE void only_multiply(std::int64_t steps, Asked& asked) const {
    step<true>(0, asked);
    for (std::int64_t k = 1; k < steps; ++k) step<false>(k, asked);
  }

  /// All `steps` and all parts. `few_steps`: their number, 1 to 4, where it is known while compiling, which
  /// is 3 to 9 % faster, kSomeSteps, or 0 for many. Parts stand where they delay no load of a tile, or where
  /// most have no tile instructions beside them: what measured best (docs/performance.md).
  template <int few_steps>
  OCTAVO_INLINE void multiply(std::int64_t steps, Asked& asked) const {
    if constexpr (few_steps == 1) {
      step<true, 1, 1, 1, 1>(0, asked, 0);
      finish_from(4);
    } else if constexpr (few_steps == 2) {
      step<true, 1, 1, 1, 0>(0, asked, 0);
      step<false, 1, 1, 1, 0>(1, asked, 3);
      finish_from(6);
    } else if constexpr (few_steps == 3) {
      step<true, 2, 0, 1, 0>(0, asked, 0);
      step<false, 2, 0, 1, 0>(1, asked, 3);
      step<false, 1, 0, 1, 0>(2, asked, 6);
    } else if constexpr (few_steps == 4) {
      step<true, 1, 0, 1, 0>(0, asked, 0);
#pragma GCC unroll 1
      for (int k = 1; k < 4; ++k) step<false, 1, 0, 1, 0>(k, asked, 2 * k);
    } else if constexpr (few_steps == kSomeSteps) {
      multiply_evenly(steps, asked);
    } else {
      multiply_many(steps, asked);
    }
  }

 private:
  OCTAVO_INLINE void finish(int part) const { finish_part<form, row_pairs, is_whole>(before, rule, part); }

  OCTAVO_INLINE void finish_from(int part) const {
#pragma GCC unroll 1
    for (; part < kParts; ++part) finish(part);
  }

  /// Step `k`, with behind(product) behind each of its products, 0 to 3 as a std::integral_constant.
  template <bool is_first, class Behind>
  OCTAVO_INLINE void step_with(std::int64_t k, Asked& asked, const Behind& behind) const {
    const auto take = [&](auto product) __attribute__((always_inline)) {
      multiply_quarter<Tiles, streamed, product, is_first>(operands, k);
      if constexpr (product == 0) asked.fetch();
      behind(product);
    };
    take(std::integral_constant<int, 0>());
    take(std::integral_constant<int, 1>());
    take(std::integral_constant<int, 2>());
    take(std::integral_constant<int, 3>());
  }

  /// With so many parts behind each, from `part` on.
  template <bool is_first, int... behind>
  OCTAVO_INLINE void step(std::int64_t k, Asked& asked, int part = 0) const {
    constexpr int kBehind[] = {behind..., 0, 0, 0, 0};
    step_with<is_first>(
        k, asked, [&](auto product) __attribute__((always_inline)) {
#pragma GCC unroll 4
          for (int i = 0; i < kBehind[product]; ++i) finish(part++);
        });
  }

  /// Halves of parts evenly behind the steps' first and third products: a residual's take so many
  /// instructions that whole parts wait for each other (docs/performance.md).
  OCTAVO_INLINE void multiply_evenly(std::int64_t steps, Asked& asked) const {
    const std::int64_t places = 2 * steps;
    std::int64_t due = 0;  // of a half, times `places`
    int half = 0;
    const auto finish_due = [&](auto product) __attribute__((always_inline)) {
      if constexpr (product % 2 == 0) {
        for (due += std::int64_t{2} * kParts; due >= places; due -= places)
          finish_half<form, row_pairs, is_whole>(before, rule, half++);
      }
    };
    step_with<true>(0, asked, finish_due);
#pragma GCC unroll 1
    for (std::int64_t k = 1; k < steps; ++k) step_with<false>(k, asked, finish_due);
  }

  /// Each part before some whole steps.
  OCTAVO_INLINE void multiply_many(std::int64_t steps, Asked& asked) const {
    step<true>(0, asked);
    std::int64_t k = 1;
#pragma GCC unroll 1
    for (int part = 0; part < kParts; ++part) {
      finish(part);
      for (const std::int64_t end = ((part + 1) * steps + kParts - 1) / kParts; k < end; ++k)
        step<false>(k, asked);
    }
  }
};

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

template <class Tiles, OutputForm form, bool streamed, int row_pairs, int few_steps>
void multiply_all(const TileWork& w) {
  const std::int64_t panel_bytes = w.step_count * kTileStepWeights;
  Asked asked{{w.ahead, w.ahead_end, w.lines_ahead},
              {w.next, w.next + w.next_lines * kLineBytes, w.next_lines_each}};
  // The last block but one, whose sums are stored, and the last, whose sums are still in their tiles.
  Pending<form> before, last;
  int waiting = 0;
  last.sums = w.sums;
  for (BlockWalk walk{w.panels, w.tile_count, w.group}; walk.group_begin < w.panels; walk.next()) {
    const std::int64_t channel = walk.panel * kTilePanel;
    const BlockOperands operands{w.tiles[walk.tile],
                                 w.tiles[walk.tile + 1],
                                 w.row_stride,
                                 w.steps,
                                 w.weights + walk.panel * panel_bytes,
                                 last.sums};
    const Beside<Tiles, form, streamed, row_pairs, few_steps != 0> block{operands, before, w.rule.exact};
    if (waiting == 2) {
      block.template multiply<few_steps>(w.step_count, asked);
    } else {
      block.only_multiply(w.step_count, asked);
      ++waiting;
    }
    before = last;
    last.sums = w.sums + (last.sums == w.sums ? kTileBlockSums : 0);
    last.dst = w.dst + walk.tile * kTileRows;
    if constexpr (kAddsResidual<form> || form == OutputForm::exact_residual) {
      last.residual = w.residual + walk.tile * kTileRows;
      last.rows_ahead = w.fetches_rows != 0 && walk.tile + 2 < w.tile_count ? 2 * kTileRows : 0;
    }
    last.numbers = numbers_of(w.rule, channel, w.channels);
  }
  store_sums<Tiles, 0>(last.sums), store_sums<Tiles, 1>(last.sums);
  store_sums<Tiles, 2>(last.sums), store_sums<Tiles, 3>(last.sums);
  if (waiting < 2) before = last;
  for (int left = waiting; left > 0; --left, before = last) {
    for (int part = 0; part < kParts; ++part) finish_part<form, row_pairs>(before, w.rule.exact, part);
  }
}

/// Chooses a schedule: one of few steps where panels are whole and tiles are full, as they are in layers of
/// few steps but for small images; streamed weights of so few are beside residuals only. Results without a
/// residual take too few instructions for the schedule of some steps to matter.
template <class Tiles, OutputForm form, bool streamed, int row_pairs>
void multiply_scheduled(const TileWork& w) {
  if constexpr (kIsFast<form>) {
    constexpr bool is_full = row_pairs == 8;
    const std::int64_t steps = w.channels % kTilePanel == 0 ? w.step_count : 0;
    if constexpr (is_full && !streamed) {
      if (steps == 1) return multiply_all<Tiles, form, streamed, row_pairs, 1>(w);
    }
    if constexpr (is_full && (!streamed || kAddsResidual<form>)) {
      if (steps == 2) return multiply_all<Tiles, form, streamed, row_pairs, 2>(w);
      if (steps == 3) return multiply_all<Tiles, form, streamed, row_pairs, 3>(w);
    }
    if constexpr (streamed == kAddsResidual<form>) {
      if (steps == 4) return multiply_all<Tiles, form, streamed, row_pairs, 4>(w);
    }
    if constexpr (streamed && kAddsResidual<form>) {
      if (steps >= kSomeSteps && steps < kManySteps)
        return multiply_all<Tiles, form, streamed, row_pairs, kSomeSteps>(w);
    }
  }
  multiply_all<Tiles, form, streamed, row_pairs, 0>(w);
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
  with_form(w.form, [&]<OutputForm form>() { multiply_form<Tiles, form>(w); });
  Tiles::release();
}

}  // namespace
}  // namespace octavo
