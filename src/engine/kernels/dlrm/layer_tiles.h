#pragma once
#include <immintrin.h>

#include <cstdint>
#include <initializer_list>

#include "engine/kernels/amx/tiles.h"
#include "engine/kernels/dlrm/work.h"
#include "engine/kernels/inline.h"

// A layer on tiles, for files compiled for AMX or for AVX-512 with emulated tiles. All of it has internal
// linkage. A type `Layer` says what is multiplied and what becomes of the sums:
//   Sum                                 std::int32_t or float
//   dot<Tiles, c, a, b>()
//   rule(work, panel)                   the numbers of a panel, a Rule
//   finish_two(left, right, rule, dst)  two neighbouring samples of a panel: 16 sums of each at `left`, the
//                                       other 16 at `right`
//   dst(work, group, panel)             where they go
//
// Panels outside, so that a panel of weights stays in L1 while all samples stream past it (TILELOADDT1). A
// block is 32 samples x 32 outputs: tiles 0..3 are its sums, 4, 5 the samples, 6, 7 the weights. While a
// block is multiplied, the last block but one is finished, some samples each step.

namespace octavo {
namespace {

constexpr std::int64_t kTileBytes = 1024;
/// How far ahead of their use weights are asked for, and from how many samples on that helps: with fewer, a
/// panel is used up before the next has come.
constexpr std::int64_t kWeightsAhead = 65536;
constexpr std::int64_t kSamplesForPrefetch = 96;

/// A block whose sums wait to be finished.
template <class Layer>
struct PendingBlock {
  typename Layer::Rule rule;
  typename Layer::Sum* sums = nullptr;
  std::uint8_t* dst = nullptr;
};

/// Samples 2 * pair, 2 * pair + 1 of the block.
template <class Layer>
OCTAVO_INLINE void finish_pair(const PendingBlock<Layer>& block, std::int64_t pair) {
  const std::int64_t half = pair / 8, row = 2 * (pair % 8);
  const auto* const left = block.sums + half * 512 + row * 16;
  Layer::finish_two(left, left + 256, block.rule, block.dst + half * kTileBytes + row * kDlrmStep);
}

template <class Tiles, int tile, class Sum>
OCTAVO_INLINE void store_sums(Sum* sums) {
  Tiles::template store<tile>(sums + tile * 256, 64);
}

template <class Tiles, class Sum>
OCTAVO_INLINE void store_all_sums(Sum* sums) {
  store_sums<Tiles, 0>(sums), store_sums<Tiles, 1>(sums);
  store_sums<Tiles, 2>(sums), store_sums<Tiles, 3>(sums);
}

/// Between two blocks: the sums of the last one leave a tile, which begins anew.
template <class Tiles, int tile, class Sum>
OCTAVO_INLINE void change_sums(Sum* last) {
  store_sums<Tiles, tile>(last);
  Tiles::template zero<tile>();
}

/// A step of a block; in its first, `last` is where the sums of the block before it go, which are stored only
/// now that their tiles are needed: earlier they would hold up what follows until their products are done.
template <class Tiles, class Layer>
OCTAVO_INLINE void multiply_step(const std::uint8_t* a, const std::int8_t* b, typename Layer::Sum* last) {
  Tiles::template load_streamed<4>(a, 64);
  Tiles::template load<6>(b, 64);
  if (last != nullptr) change_sums<Tiles, 0>(last);
  Layer::template dot<Tiles, 0, 4, 6>();
  Tiles::template load<7>(b + kTileBytes, 64);
  if (last != nullptr) change_sums<Tiles, 1>(last);
  Layer::template dot<Tiles, 1, 4, 7>();
  Tiles::template load_streamed<5>(a + kTileBytes, 64);
  if (last != nullptr) change_sums<Tiles, 2>(last);
  Layer::template dot<Tiles, 2, 5, 6>();
  if (last != nullptr) change_sums<Tiles, 3>(last);
  Layer::template dot<Tiles, 3, 5, 7>();
}

/// One block. `pairs` pairs of the pending block are finished in each step: 16 / pairs steps at least.
/// `lines` lines of later weights, from `ahead` on, are asked for in each step.
template <class Tiles, class Layer, int pairs>
OCTAVO_INLINE void multiply_block(std::int64_t steps, const std::uint8_t* a, const std::int8_t* b,
                                  typename Layer::Sum* last, const PendingBlock<Layer>& pending,
                                  const std::int8_t* ahead, std::int64_t lines) {
  multiply_step<Tiles, Layer>(a, b, last);
  for (std::int64_t step = 0;;) {
    for (std::int64_t line = 0; line < lines; ++line, ahead += 64) _mm_prefetch(ahead, _MM_HINT_T1);
    if (pending.sums != nullptr && step * pairs < 16) {
#pragma GCC unroll 16
      for (int pair = 0; pair < pairs; ++pair) finish_pair<Layer>(pending, step * pairs + pair);
    }
    if (++step == steps) break;
    multiply_step<Tiles, Layer>(a + step * kDlrmStepBytes, b + step * kDlrmStepBytes, nullptr);
  }
}

template <class Tiles, class Layer, int pairs>
void multiply_panels(const DlrmLayerWork& w) {
  alignas(64) typename Layer::Sum sums[2][1024];
  // The last block but one, whose sums are stored, and the last, whose sums are in their tiles.
  PendingBlock<Layer> pending, last;
  const std::int64_t groups = (w.samples + kDlrmGroup - 1) / kDlrmGroup;
  // One panel's lines, divided among the blocks and steps of a panel.
  const std::int64_t lines = w.samples < kSamplesForPrefetch ? 0 : (32 + groups - 1) / groups;
  const std::int64_t ahead = w.backwards != 0 ? -kWeightsAhead : kWeightsAhead;
  int turn = 0;
  for (std::int64_t i = 0; i < w.panels; ++i) {
    const std::int64_t panel = w.backwards != 0 ? w.panels - 1 - i : i;
    const std::int8_t* const weights = w.weights + panel * w.steps * kDlrmStepBytes;
    for (std::int64_t group = 0; group < groups; ++group, turn ^= 1) {
      multiply_block<Tiles, Layer, pairs>(w.steps, w.src + group * w.steps * kDlrmStepBytes, weights,
                                          sums[turn ^ 1], pending,
                                          weights + ahead + group * w.steps * lines * 64, lines);
      pending = last;
      last = {Layer::rule(w, panel), sums[turn], Layer::dst(w, group, panel)};
    }
  }
  store_all_sums<Tiles>(last.sums);
  for (const PendingBlock<Layer>* block : {&pending, &last}) {
    if (block->sums == nullptr) continue;
    for (std::int64_t pair = 0; pair < 16; ++pair) finish_pair<Layer>(*block, pair);
  }
}

template <class Tiles, class Layer>
void multiply_many(const DlrmLayerWork& w) {
  if (w.steps >= 16) return multiply_panels<Tiles, Layer, 1>(w);
  if (w.steps >= 8) return multiply_panels<Tiles, Layer, 2>(w);
  if (w.steps >= 4) return multiply_panels<Tiles, Layer, 4>(w);
  if (w.steps >= 2) return multiply_panels<Tiles, Layer, 8>(w);
  multiply_panels<Tiles, Layer, 16>(w);
}

template <class Tiles, class Layer>
OCTAVO_INLINE void multiply_few_step(const std::uint8_t* a, const std::int8_t* b, std::int64_t panel_bytes) {
  Tiles::template load<4>(a, 64);
  Tiles::template load<5>(b, 64);
  Tiles::template load<6>(b + kTileBytes, 64);
  Tiles::template load<7>(b + panel_bytes, 64);
  Layer::template dot<Tiles, 0, 4, 5>();
  Layer::template dot<Tiles, 1, 4, 6>();
  Layer::template dot<Tiles, 2, 4, 7>();
  Tiles::template load<5>(b + panel_bytes + kTileBytes, 64);
  Layer::template dot<Tiles, 3, 4, 5>();
}

/// At most 16 samples: one tile of them against two panels at a time; every weight is read once.
template <class Tiles, class Layer>
void multiply_few(const DlrmLayerWork& w) {
  alignas(64) typename Layer::Sum sums[1024] = {};
  const std::int64_t turns = (w.panels + 1) / 2, panel_bytes = w.steps * kDlrmStepBytes;
  for (std::int64_t i = 0; i < turns; ++i) {
    const std::int64_t panel = 2 * (w.backwards != 0 ? turns - 1 - i : i);
    // An odd panel at the end is multiplied twice.
    const std::int64_t second = panel + 1 < w.panels ? panel_bytes : 0;
    const std::int8_t* const weights = w.weights + panel * panel_bytes;
    Tiles::template zero<0>(), Tiles::template zero<1>(), Tiles::template zero<2>(),
        Tiles::template zero<3>();
    for (std::int64_t step = 0; step < w.steps; ++step) {
      multiply_few_step<Tiles, Layer>(w.src + step * kDlrmStepBytes, weights + step * kDlrmStepBytes, second);
    }
    store_all_sums<Tiles>(sums);
    for (std::int64_t half = 0; half < 2 && panel + half < w.panels; ++half) {
      const typename Layer::Rule rule = Layer::rule(w, panel + half);
      for (std::int64_t row = 0; row < w.samples; row += 2) {
        const auto* const left = sums + half * 512 + row * 16;
        Layer::finish_two(left, left + 256, rule, Layer::dst(w, 0, panel + half) + row * kDlrmStep);
      }
    }
  }
}

/// Tiles of samples have as many rows as there are samples, up to 16.
inline TileConfig layer_tiles_config(bool is_few, std::int64_t samples) {
  TileConfig config;
  const auto few = static_cast<std::uint8_t>(samples);
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = 64;
    config.rows[tile] = is_few && tile < 5 ? few : 16;
  }
  return config;
}

template <class Tiles, class Layer>
void dlrm_layer_on_tiles(const DlrmLayerWork& w) {
  if (w.samples <= 0) return;
  const bool is_few = w.samples <= 16;
  Tiles::publish();
  Tiles::configure(layer_tiles_config(is_few, w.samples));
  is_few ? multiply_few<Tiles, Layer>(w) : multiply_many<Tiles, Layer>(w);
  Tiles::release();
}

}  // namespace
}  // namespace octavo
