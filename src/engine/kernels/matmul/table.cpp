#include "engine/kernels/matmul/table.h"

namespace octavo {

std::span<const KernelRow<MatmulProblem>> matmul_kernels() {
  static const KernelRow<MatmulProblem> kRows[] = {
      matmul::avx512_vnni_row(),
      matmul::avx2_row(),
      matmul::onednn_row(),
      matmul::reference_row(),
  };
  return kRows;
}

}  // namespace octavo
