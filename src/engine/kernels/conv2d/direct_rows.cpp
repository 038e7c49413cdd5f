#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/table.h"
#include "engine/kernels/conv2d/winograd.h"

namespace octavo::conv2d {

KernelRow<Conv2dProblem> avx512_vnni_row() {
  return {"avx512_vnni", Isa::avx512_vnni, direct_support,
          [](const Conv2dProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvx512Vnni, p, operands);
          }};
}

KernelRow<Conv2dProblem> avx512_vnni_wide_row() {
  return {"avx512_vnni:wide", Isa::avx512_vnni, wide_direct_support,
          [](const Conv2dProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvx512VnniWide, p, operands);
          }};
}

KernelRow<Conv2dProblem> avx512_vnni_wide_winograd_row() {
  return {"avx512_vnni:wide_winograd", Isa::avx512_vnni, wide_winograd_supports, prepare_wide_winograd};
}

KernelRow<Conv2dProblem> avx512_vnni_winograd_row() {
  return {"avx512_vnni:winograd", Isa::avx512_vnni, winograd_supports, prepare_winograd};
}

KernelRow<Conv2dProblem> avx_vnni_row() {
  return {"avx_vnni", Isa::avx_vnni, direct_support, [](const Conv2dProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvxVnni, p, operands);
          }};
}

KernelRow<Conv2dProblem> avx2_row() {
  return {"avx2", Isa::avx2, direct_support, [](const Conv2dProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvx2, p, operands);
          }};
}

}  // namespace octavo::conv2d
