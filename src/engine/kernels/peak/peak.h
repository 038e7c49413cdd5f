#pragma once
#include <cstdint>

#include "base/isa.h"

namespace octavo {

/// What one core computes at most: 8-bit multiplications and additions a second by the instructions that the
/// rows of `isa` multiply with, on registers alone, as the best of a few short loops run now on this thread.
/// 0 for isas without a loop. The clock moves with the load: measure in the process, and near the time, of
/// what is compared with it.
double peak_ops_per_second(Isa isa);

// The loops, a file for each isa: `rounds` times a number of independent multiply-accumulates; the operations
// done (a multiplication and an addition each).
std::int64_t peak_loop_amx_int8(std::int64_t rounds);
std::int64_t peak_loop_avx512_vnni(std::int64_t rounds);
std::int64_t peak_loop_avx_vnni(std::int64_t rounds);
/// s16 pairs (vpmaddwd), which is what the exact AVX2 rows multiply.
std::int64_t peak_loop_avx2(std::int64_t rounds);

}  // namespace octavo
