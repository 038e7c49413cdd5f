#include "engine/kernels/copy/table.h"

#include "engine/kernels/copy/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<CopyProblem> kCopyRows[] = {
    {"reference", Isa::generic, copy_reference_supports, prepare_copy_reference},
};

}  // namespace

std::span<const KernelRow<CopyProblem>> copy_kernels() { return kCopyRows; }

}  // namespace octavo
