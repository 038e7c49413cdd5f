#include "engine/kernels/copy/table.h"

#include "engine/kernels/copy/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<CopyProblem> kCopyRows[] = {
    {"runs", Isa::generic, copy_runs_supports, prepare_copy_runs},
    {"reference", Isa::generic, copy_reference_supports, prepare_copy_reference},
};

}  // namespace

std::span<const KernelRow<CopyProblem>> copy_kernels() { return kCopyRows; }

}  // namespace octavo
