#pragma once
#include "engine/kernels/dlrm/dots_avx512.h"
#include "engine/kernels/dlrm/finish_bf16.h"

namespace octavo {
namespace {

/// Rounds and stores the products of a sample; lanes of no product become zeros.
OCTAVO_INLINE void finish_bf16_products(const DlrmDotsWork& w, std::int64_t sample,
                                        const std::int32_t* sums) {
  const std::int64_t first_step = w.row_bytes / kDlrmStep;
  for (std::int64_t i = 0; i < 4 * w.fold_fours; i += 2) {
    __m512 lanes[2];
#pragma GCC unroll 2
    for (std::int64_t half = 0; half < 2; ++half) {
      const DlrmFold& fold = w.folds[i + half];
      lanes[half] = _mm512_mask_loadu_ps(_mm512_loadu_ps(sums + fold.other),
                                         static_cast<__mmask16>(fold.mask), sums + fold.masked);
      lanes[half] = _mm512_maskz_mov_ps(static_cast<__mmask16>(fold.used), lanes[half]);
    }
    _mm512_store_si512(top_step(w, sample, first_step + i / 2), bf16_of(lanes[0], lanes[1]));
  }
}

}  // namespace
}  // namespace octavo
