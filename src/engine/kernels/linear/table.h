#pragma once
#include <span>

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/kernel.h"
#include "engine/kernels/linear/problem.h"

namespace octavo {

/// Every way to solve a LinearProblem, best first, the reference last.
std::span<const KernelRow<LinearProblem>> linear_kernels();

/// The rows that the table is made of, a file each.
namespace linear {
/// A linear layer is a 1x1 convolution of images of one pixel; y may then be f32.
Conv2dProblem as_convolution(const LinearProblem& p);
KernelRow<LinearProblem> amx_int8_row();
KernelRow<LinearProblem> avx512_vnni_wide_row();
KernelRow<LinearProblem> avx512_vnni_row();
KernelRow<LinearProblem> avx_vnni_row();
KernelRow<LinearProblem> avx2_row();
KernelRow<LinearProblem> onednn_row();
KernelRow<LinearProblem> onednn_bf16_row();
KernelRow<LinearProblem> reference_row();
}  // namespace linear

}  // namespace octavo
