#include "engine/kernels/concat/requantization.h"

#include "base/fail.h"
#include "engine/kernels/element_types.h"

namespace octavo {

std::vector<ConcatInput> concat_inputs(const ConcatProblem& problem, const Operands& operands) {
  if (operands.inputs.size() != problem.widths.size()) {
    fail(ErrorCode::invalid_argument, "concat: {} operands for {} widths", operands.inputs.size(),
         problem.widths.size());
  }
  std::vector<ConcatInput> inputs(problem.widths.size());
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].width = problem.widths[i];
    inputs[i].offset = offset;
    offset += problem.widths[i];
    const Operand& operand = operands.inputs[i];
    if (!is_stored_integer(problem.dtype)) continue;
    if (operand.quantization == nullptr && operands.output.quantization == nullptr) continue;
    const Affine from = affine_of(ConcatProblem::kFamily, operand);
    const Affine to = affine_of(ConcatProblem::kFamily, operands.output);
    inputs[i].requantize = from != to;
    fill_table(inputs[i].table, problem.dtype, from, to, problem.arithmetic == Arithmetic::ort,
               [](float real) { return real; });
  }
  return inputs;
}

}  // namespace octavo
