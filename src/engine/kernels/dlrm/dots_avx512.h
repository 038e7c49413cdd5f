#pragma once
#include <immintrin.h>

#include <cstdint>

#include "engine/kernels/dlrm/work.h"
#include "engine/kernels/inline.h"

// The products of feature vectors, for files compiled for AVX-512 VNNI, AVX-512 BF16 or AMX: everything but
// the products themselves, which are a type `Products` with
//   begin(), end()
//   kept(16 dwords of transposed features, 16 s32): what is kept of them; may add to the 16, which are zeros
//   at
//     the beginning of a block
//   multiply(work, features of a sample, transposed features, 16 s32 for each block, tiles of sums)
//   finish(work, sample, tiles of sums)
// Sums are s32, or f32 in the same memory. All of it has internal linkage.
//
// The sums of a sample are finished while the next one is multiplied.

namespace octavo {
namespace {

/// 16 rows of 64 bytes, `stride` bytes apart, as 16 rows of one dword of each: to[k] = kept(dword k of all
/// rows).
template <class Kept>
OCTAVO_INLINE void transpose_dwords(const std::int8_t* from, std::int64_t stride, std::int8_t* to,
                                    const Kept& kept) {
  const auto part_of = [&](std::int64_t row, std::int64_t part) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(from + row * stride + 16 * part));
  };
#pragma GCC unroll 4
  for (std::int64_t part = 0; part < 4; ++part) {
    __m512i rows[4];
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < 4; ++i) {
      rows[i] = _mm512_castsi128_si512(part_of(i, part));
      rows[i] = _mm512_mask_broadcast_i32x4(rows[i], 0x00F0, part_of(4 + i, part));
      rows[i] = _mm512_mask_broadcast_i32x4(rows[i], 0x0F00, part_of(8 + i, part));
      rows[i] = _mm512_mask_broadcast_i32x4(rows[i], 0xF000, part_of(12 + i, part));
    }
    const __m512i low01 = _mm512_unpacklo_epi32(rows[0], rows[1]);
    const __m512i high01 = _mm512_unpackhi_epi32(rows[0], rows[1]);
    const __m512i low23 = _mm512_unpacklo_epi32(rows[2], rows[3]);
    const __m512i high23 = _mm512_unpackhi_epi32(rows[2], rows[3]);
    std::int8_t* const dst = to + 256 * part;
    _mm512_store_si512(dst, kept(_mm512_unpacklo_epi64(low01, low23)));
    _mm512_store_si512(dst + 64, kept(_mm512_unpackhi_epi64(low01, low23)));
    _mm512_store_si512(dst + 128, kept(_mm512_unpacklo_epi64(high01, high23)));
    _mm512_store_si512(dst + 192, kept(_mm512_unpackhi_epi64(high01, high23)));
  }
}

/// Step `step` of a sample in the packed activations.
OCTAVO_INLINE std::uint8_t* top_step(const DlrmDotsWork& w, std::int64_t sample, std::int64_t step) {
  return w.top + (sample / kDlrmGroup * w.top_steps + step) * kDlrmStepBytes +
         sample % kDlrmGroup * kDlrmStep;
}

OCTAVO_INLINE std::int8_t* features_of(const DlrmDotsWork& w, std::int64_t sample) {
  return w.features + sample % kDlrmTurn * w.blocks * 16 * w.row_bytes;
}

/// Fills in x and transposes all vectors of a sample: [block][step][16 dwords of each vector].
template <class Products>
OCTAVO_INLINE void transpose_sample(const DlrmDotsWork& w, std::int64_t sample, std::int8_t* transposed,
                                    std::int32_t* of_blocks) {
  std::int8_t* const features = features_of(w, sample);
  const std::int64_t steps = w.row_bytes / kDlrmStep;
  for (std::int64_t step = 0; step < steps; ++step)
    _mm512_store_si512(features + step * kDlrmStep, _mm512_load_si512(top_step(w, sample, step)));
  for (std::int64_t block = 0; block < w.blocks; ++block) {
    __m512i of_block = _mm512_setzero_si512();
    const auto kept = [&](__m512i dwords) __attribute__((always_inline)) {
      return Products::kept(dwords, of_block);
    };
    for (std::int64_t step = 0; step < steps; ++step, transposed += 1024)
      transpose_dwords(features + block * 16 * w.row_bytes + step * kDlrmStep, w.row_bytes, transposed, kept);
    _mm512_store_si512(of_blocks + 16 * block, of_block);
  }
}

/// Requantizes and stores the products of a sample. `flip`: all bytes are stored xor this.
template <std::uint8_t flip>
OCTAVO_INLINE void finish_byte_products(const DlrmDotsWork& w, std::int64_t sample,
                                        const std::int32_t* sums) {
  const std::int64_t first_step = w.row_bytes / kDlrmStep;
  for (std::int64_t step = 0; step < w.fold_fours; ++step) {
    __m512i v[4];
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < 4; ++i) {
      const DlrmFold& fold = w.folds[4 * step + i];
      const __m512i sum = _mm512_mask_loadu_epi32(_mm512_loadu_si512(sums + fold.other),
                                                  static_cast<__mmask16>(fold.mask), sums + fold.masked);
      const __m512 multiplier = _mm512_loadu_ps(w.multiplier + 16 * (4 * step + i));
      v[i] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), multiplier));
    }
    __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
    bytes = _mm512_permutexvar_epi32(_mm512_loadu_si512(w.quad_order + 16 * step), bytes);
    if constexpr (flip != 0) bytes = _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(flip)));
    _mm512_store_si512(top_step(w, sample, first_step + step), bytes);
  }
}

template <class Products>
OCTAVO_INLINE void walk_samples(const DlrmDotsWork& w) {
  const std::int64_t transposed_bytes = w.blocks * 16 * w.row_bytes;
  const std::int64_t sums_bytes = dlrm_dot_tiles(w.blocks) * 1024;
  auto* const transposed = reinterpret_cast<std::int8_t*>(w.scratch);
  auto* const of_blocks =
      reinterpret_cast<std::int32_t*>(w.scratch + transposed_bytes + 2 * (sums_bytes + 128));
  std::int32_t* sums[2];
  for (int turn = 0; turn < 2; ++turn)
    sums[turn] =
        reinterpret_cast<std::int32_t*>(w.scratch + transposed_bytes + turn * (sums_bytes + 128) + 64);
  Products::begin();
  for (std::int64_t sample = 0; sample < w.samples; ++sample) {
    if (sample % kDlrmTurn == 0)
      w.fill(w.source, sample, w.samples - sample < kDlrmTurn ? w.samples - sample : kDlrmTurn);
    transpose_sample<Products>(w, sample, transposed, of_blocks);
    Products::multiply(w, features_of(w, sample), transposed, of_blocks, sums[sample & 1]);
    if (sample > 0) Products::finish(w, sample - 1, sums[(sample - 1) & 1]);
  }
  if (w.samples > 0) Products::finish(w, w.samples - 1, sums[(w.samples - 1) & 1]);
  Products::end();
}

/// `usual_bytes`: of a row of the published 40M model.
template <class Products, std::int64_t usual_bytes>
void dlrm_dots(const DlrmDotsWork& given) {
  if (given.blocks != 2 || given.row_bytes != usual_bytes) return walk_samples<Products>(given);
  // Numbers known while compiling save a third of the time: the loops are short.
  DlrmDotsWork w = given;
  w.blocks = 2;
  w.row_bytes = usual_bytes;
  walk_samples<Products>(w);
}

}  // namespace
}  // namespace octavo
