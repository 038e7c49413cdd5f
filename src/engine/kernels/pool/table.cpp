#include "engine/kernels/pool/table.h"

#include "engine/kernels/pool/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<PoolProblem> kRows[] = {
    {"reference", Isa::generic, pool_reference_supports, prepare_pool_reference},
};

}  // namespace

std::span<const KernelRow<PoolProblem>> pool_kernels() { return kRows; }

}  // namespace octavo
