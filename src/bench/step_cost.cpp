#include "bench/step_cost.h"

#include "engine/kernels/conv2d/problem.h"
#include "engine/kernels/family.h"
#include "engine/kernels/linear/problem.h"
#include "engine/kernels/matmul/problem.h"

namespace octavo::bench {
namespace {

std::int64_t macs_of(const MatmulProblem& p, std::int64_t batch) {
  const std::int64_t times = p.grows == MatmulGrows::nothing ? 1 : batch;
  return p.batches * p.m * p.k * p.n * times;
}

std::int64_t macs_of(const std::string& problem, std::int64_t batch) {
  const std::string_view family = problem_family(problem);
  if (family == Conv2dProblem::kFamily) return parse_problem<Conv2dProblem>(problem).macs() * batch;
  if (family == LinearProblem::kFamily) return parse_problem<LinearProblem>(problem).macs() * batch;
  if (family == MatmulProblem::kFamily) return macs_of(parse_problem<MatmulProblem>(problem), batch);
  return 0;
}

std::int64_t bytes_of(const OperandSize& operand, std::int64_t batch) {
  return (operand.elements + operand.growth * (batch - 1)) * operand.element_bytes;
}

}  // namespace

StepCost cost_of(const std::string& problem, std::int64_t batch) {
  const StepSizes sizes = family_of(problem).sizes(problem);
  StepCost cost{macs_of(problem, batch), bytes_of(sizes.output, batch), false};
  cost.is_float = !sizes.inputs.empty() && sizes.inputs.front().dtype == DType::f32;
  for (const OperandSize& input : sizes.inputs) cost.bytes += bytes_of(input, batch);
  return cost;
}

std::int64_t macs_per_item(const Plan& plan) {
  std::int64_t macs = 0;
  for (const Step& step : plan.steps) macs += macs_of(step.problem, 1);
  return macs;
}

}  // namespace octavo::bench
