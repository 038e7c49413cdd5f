#include "engine/kernels/conv2d/direct.h"
#include "engine/kernels/conv2d/tile.h"
#include "engine/kernels/linear/table.h"

namespace octavo::linear {
namespace {

Support supports(const LinearProblem& p) noexcept { return direct_support(as_convolution(p)); }

}  // namespace

Conv2dProblem as_convolution(const LinearProblem& p) {
  Conv2dProblem conv;
  conv.x = p.x, conv.w = p.w, conv.y = p.y;
  conv.n = p.m, conv.ic = p.ic, conv.oc = p.oc;
  conv.ih = conv.iw = 1;
  conv.bias = p.bias, conv.activation = p.activation, conv.arithmetic = p.arithmetic;
  return conv;
}

KernelRow<LinearProblem> amx_int8_row() {
  return {"amx_int8", Isa::amx_int8,
          [](const LinearProblem& p) noexcept { return tiles_support(as_convolution(p)); },
          [](const LinearProblem& p, const Operands& operands) {
            return prepare_tiles(multiply_tiles_amx_int8, as_convolution(p), operands);
          }};
}

KernelRow<LinearProblem> avx512_vnni_wide_row() {
  return {"avx512_vnni:wide", Isa::avx512_vnni,
          [](const LinearProblem& p) noexcept { return wide_direct_support(as_convolution(p)); },
          [](const LinearProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvx512VnniWide, as_convolution(p), operands);
          }};
}

KernelRow<LinearProblem> avx512_vnni_row() {
  return {"avx512_vnni", Isa::avx512_vnni, supports, [](const LinearProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvx512Vnni, as_convolution(p), operands);
          }};
}

KernelRow<LinearProblem> avx_vnni_row() {
  return {"avx_vnni", Isa::avx_vnni, supports, [](const LinearProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvxVnni, as_convolution(p), operands);
          }};
}

KernelRow<LinearProblem> avx2_row() {
  return {"avx2", Isa::avx2, supports, [](const LinearProblem& p, const Operands& operands) {
            return prepare_direct(kDirectAvx2, as_convolution(p), operands);
          }};
}

}  // namespace octavo::linear
