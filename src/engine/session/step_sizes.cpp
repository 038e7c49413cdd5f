#include "engine/session/step_sizes.h"

#include <algorithm>

#include "base/fail.h"
#include "engine/kernels/family.h"
#include "engine/session/plan_tensor.h"

namespace octavo {
namespace {

void check_operand(const PlanTensor& tensor, const OperandSize& needed, bool step_grows) {
  if (needed.dtype ? tensor.dtype != *needed.dtype : dtype_bytes(tensor.dtype) != needed.element_bytes) {
    fail(ErrorCode::invalid_model, "tensor '{}' is {}, expected {}", tensor.name, dtype_name(tensor.dtype),
         needed.dtype ? std::string(dtype_name(*needed.dtype))
                      : fmt::format("elements of {} bytes", needed.element_bytes));
  }
  const std::int64_t elements = tensor_bytes(tensor) / needed.element_bytes;
  const bool tensor_grows = is_per_image(tensor.shape);
  if (step_grows && !tensor_grows && needed.growth > 0) {
    fail(ErrorCode::invalid_model,
         "tensor '{}' {} does not grow with the batch, but the step reads or writes more of it", tensor.name,
         shape_text(tensor.shape));
  }
  const std::int64_t each = tensor_grows ? std::max(needed.elements, needed.growth) : needed.elements;
  if (elements < each) {
    fail(ErrorCode::invalid_model, "tensor '{}' {} has {} elements, the step needs {}", tensor.name,
         shape_text(tensor.shape), elements, each);
  }
}

}  // namespace

bool grows(const Plan& plan, const Step& step) {
  const auto is_growing = [&](std::int32_t index) { return is_per_image(tensor_of(plan, index).shape); };
  return is_growing(step.output) || std::any_of(step.inputs.begin(), step.inputs.end(), is_growing);
}

void check_sizes(const Plan& plan, const Step& step) {
  const StepSizes needed = family_of(step.problem).sizes(step.problem);
  if (step.inputs.size() != needed.inputs.size()) {
    fail(ErrorCode::invalid_model, "{} inputs, expected {}", step.inputs.size(), needed.inputs.size());
  }
  const bool step_grows = grows(plan, step);
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    check_operand(tensor_of(plan, step.inputs[i]), needed.inputs[i], step_grows);
  }
  check_operand(tensor_of(plan, step.output), needed.output, step_grows);
}

}  // namespace octavo
