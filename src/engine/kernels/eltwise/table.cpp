#include "engine/kernels/eltwise/table.h"

#include "engine/kernels/eltwise/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<BinaryProblem> kBinaryRows[] = {
    {"reference", Isa::generic, binary_reference_supports, prepare_binary_reference},
};

constexpr KernelRow<UnaryProblem> kUnaryRows[] = {
    {"reference", Isa::generic, unary_reference_supports, prepare_unary_reference},
};

}  // namespace

std::span<const KernelRow<BinaryProblem>> binary_kernels() { return kBinaryRows; }
std::span<const KernelRow<UnaryProblem>> unary_kernels() { return kUnaryRows; }

}  // namespace octavo
