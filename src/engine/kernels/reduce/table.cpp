#include "engine/kernels/reduce/table.h"

#include "engine/kernels/reduce/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<ReduceProblem> kReduceRows[] = {
    {"reference", Isa::generic, reduce_reference_supports, prepare_reduce_reference},
};

}  // namespace

std::span<const KernelRow<ReduceProblem>> reduce_kernels() { return kReduceRows; }

}  // namespace octavo
