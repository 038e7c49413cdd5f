#pragma once
#include <span>

#include "engine/kernels/kernel.h"
#include "engine/kernels/linear/problem.h"

namespace octavo {

/// Every way to solve a LinearProblem, best first, the reference last.
std::span<const KernelRow<LinearProblem>> linear_kernels();

/// The rows that the table is made of, a file each.
namespace linear {
KernelRow<LinearProblem> avx512_vnni_row();
KernelRow<LinearProblem> avx2_row();
KernelRow<LinearProblem> onednn_row();
KernelRow<LinearProblem> reference_row();
}  // namespace linear

}  // namespace octavo
