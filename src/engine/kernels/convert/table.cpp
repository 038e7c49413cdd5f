#include "engine/kernels/convert/table.h"

#include "engine/kernels/convert/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<ConvertProblem> kConvertRows[] = {
    {"vector_avx512", Isa::avx512, convert_vector_supports, prepare_convert_avx512},
    {"vector_avx2", Isa::avx2, convert_vector_supports, prepare_convert_avx2},
    {"table_avx512_vnni", Isa::avx512_vnni, convert_table_supports, prepare_convert_table_avx512_vnni},
    {"table", Isa::generic, convert_table_supports, prepare_convert_table},
    {"reference", Isa::generic, convert_reference_supports, prepare_convert_reference},
};

constexpr KernelRow<DynamicQuantizeProblem> kDynamicQuantizeRows[] = {
    {"reference", Isa::generic, dynamic_quantize_reference_supports, prepare_dynamic_quantize_reference},
};

}  // namespace

std::span<const KernelRow<ConvertProblem>> convert_kernels() { return kConvertRows; }
std::span<const KernelRow<DynamicQuantizeProblem>> dynamic_quantize_kernels() { return kDynamicQuantizeRows; }

}  // namespace octavo
