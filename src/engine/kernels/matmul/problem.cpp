#include "engine/kernels/matmul/problem.h"

#include "engine/kernels/extents.h"
#include "engine/kernels/operand_quantization.h"

namespace octavo {
namespace {

void check_types(const MatmulProblem& p) {
  const bool real = p.a == DType::f32 && p.b == DType::f32 && p.y == DType::f32;
  const bool integer =
      is_stored_integer(p.a) && is_stored_integer(p.b) && (is_stored_integer(p.y) || p.y == DType::s32);
  if (!real && !integer) {
    fail(ErrorCode::invalid_argument,
         "matmul problem: a={} b={} y={}, expected u8 or s8 (y also s32), or f32 for all", dtype_name(p.a),
         dtype_name(p.b), dtype_name(p.y));
  }
  check_flag(p.kFamily, "a_zero_point", p.a_zero_point);
  check_flag(p.kFamily, "b_zero_point", p.b_zero_point);
  if (p.y != DType::s32 && p.a_zero_point + p.b_zero_point > 0) {
    fail(ErrorCode::invalid_argument, "matmul problem: zero point operands with y={}, expected s32",
         dtype_name(p.y));
  }
}

}  // namespace

void MatmulProblem::check() const {
  check_types(*this);
  for (const auto& [name, extent] : {std::pair{"batches", batches}, {"m", m}, {"k", k}, {"n", n}}) {
    check_extent(kFamily, name, extent);
  }
  for (const auto& [name, extent] : {std::pair{"a_batches", a_batches}, {"b_batches", b_batches}}) {
    if (extent != 1 && extent != batches) {
      fail(ErrorCode::invalid_argument, "matmul problem: {} is {}, expected 1 or {}", name, extent, batches);
    }
  }
  if (grows == MatmulGrows::rows && batches != 1) {
    fail(ErrorCode::invalid_argument, "matmul problem: grows=rows with batches {}, expected 1", batches);
  }
  check_elements(kFamily, "a", {a_batches, m, k});
  check_elements(kFamily, "b", {b_batches, k, n});
  check_elements(kFamily, "y", {batches, m, n});
}

StepSizes MatmulProblem::sizes() const {
  const auto size = [](DType dtype, std::int64_t elements, bool with_batch) {
    return with_batch ? OperandSize::growing(dtype, elements) : OperandSize::fixed(dtype, elements);
  };
  const bool more_matrices = grows == MatmulGrows::batches;
  const bool a_grows = grows == MatmulGrows::rows || (more_matrices && a_batches == batches);
  StepSizes all{{size(a, a_batches * m * k, a_grows),
                 size(b, b_batches * k * n, more_matrices && b_batches == batches)},
                size(y, batches * m * n, grows != MatmulGrows::nothing)};
  if (a_zero_point != 0) all.inputs.push_back(OperandSize::fixed(a, 1));
  if (b_zero_point != 0) all.inputs.push_back(OperandSize::fixed(b, 1));
  return all;
}

}  // namespace octavo
