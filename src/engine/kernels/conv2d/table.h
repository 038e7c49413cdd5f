#pragma once
#include <span>

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/kernel.h"

namespace octavo {

/// Every way to solve a Conv2dProblem, best first, the reference last.
std::span<const KernelRow<Conv2dProblem>> conv2d_kernels();

/// The rows that the table is made of. NAME:WAY is the row NAME in another way: another blocking, for tuning,
/// or Winograd's products.
namespace conv2d {
KernelRow<Conv2dProblem> amx_int8_row();
KernelRow<Conv2dProblem> amx_int8_pixels_row();
KernelRow<Conv2dProblem> amx_int8_pixels_streamed_row();
KernelRow<Conv2dProblem> amx_int8_panels_row();
KernelRow<Conv2dProblem> avx512_vnni_wide_winograd_row();
KernelRow<Conv2dProblem> avx512_vnni_wide_row();
KernelRow<Conv2dProblem> avx512_vnni_winograd_row();
KernelRow<Conv2dProblem> avx512_vnni_row();
KernelRow<Conv2dProblem> avx_vnni_row();
KernelRow<Conv2dProblem> avx2_row();
KernelRow<Conv2dProblem> onednn_row();
KernelRow<Conv2dProblem> onednn_bf16_row();
KernelRow<Conv2dProblem> reference_row();
}  // namespace conv2d

}  // namespace octavo
