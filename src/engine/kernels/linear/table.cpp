#include "engine/kernels/linear/table.h"

namespace octavo {

std::span<const KernelRow<LinearProblem>> linear_kernels() {
  static const KernelRow<LinearProblem> kRows[] = {
      linear::amx_int8_row(),    linear::avx512_vnni_wide_row(),
      linear::avx512_vnni_row(), linear::avx_vnni_row(),
      linear::avx2_row(),        linear::onednn_row(),
      linear::onednn_bf16_row(), linear::reference_row(),
  };
  return kRows;
}

}  // namespace octavo
