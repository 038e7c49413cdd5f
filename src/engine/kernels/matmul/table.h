#pragma once
#include <span>

#include "engine/kernels/kernel.h"
#include "engine/kernels/matmul/problem.h"

namespace octavo {

/// Every way to solve a MatmulProblem, best first, the reference last.
std::span<const KernelRow<MatmulProblem>> matmul_kernels();

/// The rows that the table is made of, a file each.
namespace matmul {
KernelRow<MatmulProblem> avx512_vnni_row();
KernelRow<MatmulProblem> avx2_row();
KernelRow<MatmulProblem> onednn_row();
KernelRow<MatmulProblem> reference_row();
}  // namespace matmul

}  // namespace octavo
