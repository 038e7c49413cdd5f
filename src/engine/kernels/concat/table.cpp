#include "engine/kernels/concat/table.h"

#include "engine/kernels/concat/rows.h"

namespace octavo {
namespace {

constexpr KernelRow<ConcatProblem> kConcatRows[] = {
    {"runs_avx512_vnni", Isa::avx512_vnni, concat_runs_supports, prepare_concat_runs_avx512_vnni},
    {"runs", Isa::generic, concat_runs_supports, prepare_concat_runs},
    {"reference", Isa::generic, concat_reference_supports, prepare_concat_reference},
};

}  // namespace

std::span<const KernelRow<ConcatProblem>> concat_kernels() { return kConcatRows; }

}  // namespace octavo
