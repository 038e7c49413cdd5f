#include "engine/kernels/concat/table.h"

#include "engine/kernels/concat/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<ConcatProblem> kConcatRows[] = {
    {"reference", Isa::generic, concat_reference_supports, prepare_concat_reference},
};

}  // namespace

std::span<const KernelRow<ConcatProblem>> concat_kernels() { return kConcatRows; }

}  // namespace octavo
