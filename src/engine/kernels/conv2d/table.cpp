#include "engine/kernels/conv2d/table.h"

namespace octavo {

std::span<const KernelRow<Conv2dProblem>> conv2d_kernels() {
  static const KernelRow<Conv2dProblem> kRows[] = {
      conv2d::amx_int8_row(),
      conv2d::avx512_vnni_wide_winograd_row(),
      conv2d::avx512_vnni_wide_row(),
      conv2d::avx512_vnni_winograd_row(),
      conv2d::avx512_vnni_row(),
      conv2d::avx_vnni_row(),
      conv2d::avx2_row(),
      conv2d::onednn_row(),
      conv2d::onednn_bf16_row(),
      conv2d::amx_int8_pixels_row(),
      conv2d::amx_int8_pixels_streamed_row(),
      conv2d::amx_int8_panels_row(),
      conv2d::reference_row(),
  };
  return kRows;
}

}  // namespace octavo
