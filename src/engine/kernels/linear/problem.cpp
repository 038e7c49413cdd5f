#include "engine/kernels/linear/problem.h"

#include "engine/kernels/extents.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {

void LinearProblem::check() const {
  const bool quantized = is_stored_integer(x) && is_stored_integer(w);
  const bool real = x == DType::f32 && w == DType::f32 && y == DType::f32;
  if (!real && !(quantized && (is_stored_integer(y) || y == DType::f32))) {
    fail(ErrorCode::invalid_argument,
         "linear problem: x={} w={} y={}, expected u8 or s8 (y also f32), or f32 for all", dtype_name(x),
         dtype_name(w), dtype_name(y));
  }
  if (real && bias == Bias::s32) {
    fail(ErrorCode::invalid_argument, "linear problem: bias=s32 of an f32 layer");
  }
  check_extent(kFamily, "m", m);
  check_extent(kFamily, "ic", ic);
  check_extent(kFamily, "oc", oc);
  check_elements(kFamily, "x", {m, ic});
  check_elements(kFamily, "w", {oc, ic});
  check_elements(kFamily, "y", {m, oc});
}

StepSizes LinearProblem::sizes() const {
  StepSizes all{{OperandSize::growing(x, m * ic), OperandSize::fixed(w, oc * ic)},
                OperandSize::growing(y, m * oc)};
  if (bias != Bias::none) all.inputs.push_back(OperandSize::fixed(bias_dtype(bias), oc));
  return all;
}

}  // namespace octavo
