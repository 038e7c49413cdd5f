#include "engine/kernels/gather/table.h"

#include "engine/kernels/gather/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<GatherProblem> kGatherRows[] = {
    {"reference", Isa::generic, gather_reference_supports, prepare_gather_reference},
};

}  // namespace

std::span<const KernelRow<GatherProblem>> gather_kernels() { return kGatherRows; }

}  // namespace octavo
