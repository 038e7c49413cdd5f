#include "engine/kernels/eltwise/table.h"

#include "engine/kernels/eltwise/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<BinaryProblem> kBinaryRows[] = {
    {"add_avx512", Isa::avx512, binary_dense_add_supports, prepare_binary_add_avx512},
    {"add_avx2", Isa::avx2, binary_dense_add_supports, prepare_binary_add_avx2},
    {"reference", Isa::generic, binary_reference_supports, prepare_binary_reference},
};

constexpr KernelRow<UnaryProblem> kUnaryRows[] = {
    {"table_avx512_vnni", Isa::avx512_vnni, unary_table_supports, prepare_unary_table_avx512_vnni},
    {"table", Isa::generic, unary_table_supports, prepare_unary_table},
    {"reference", Isa::generic, unary_reference_supports, prepare_unary_reference},
};

}  // namespace

std::span<const KernelRow<BinaryProblem>> binary_kernels() { return kBinaryRows; }
std::span<const KernelRow<UnaryProblem>> unary_kernels() { return kUnaryRows; }

}  // namespace octavo
