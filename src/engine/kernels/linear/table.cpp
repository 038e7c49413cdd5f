#include "engine/kernels/linear/table.h"

namespace octavo {

std::span<const KernelRow<LinearProblem>> linear_kernels() {
  static const KernelRow<LinearProblem> kRows[] = {
      linear::reference_row(),
  };
  return kRows;
}

}  // namespace octavo
