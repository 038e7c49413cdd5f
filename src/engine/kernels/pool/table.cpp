#include "engine/kernels/pool/table.h"

#include "engine/kernels/pool/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<PoolProblem> kRows[] = {
    {"window_avx512", Isa::avx512, pool_window_supports, prepare_pool_avx512},
    {"window_avx2", Isa::avx2, pool_window_supports, prepare_pool_avx2},
    {"channels_f32", Isa::generic, pool_channels_supports, prepare_pool_channels},
    {"reference", Isa::generic, pool_reference_supports, prepare_pool_reference},
};

}  // namespace

std::span<const KernelRow<PoolProblem>> pool_kernels() { return kRows; }

}  // namespace octavo
