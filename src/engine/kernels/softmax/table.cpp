#include "engine/kernels/softmax/table.h"

#include "engine/kernels/softmax/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<SoftmaxProblem> kSoftmaxRows[] = {
    {"reference", Isa::generic, softmax_reference_supports, prepare_softmax_reference},
};

}  // namespace

std::span<const KernelRow<SoftmaxProblem>> softmax_kernels() { return kSoftmaxRows; }

}  // namespace octavo
