#include "package/plan.h"

#include <fmt/format.h>

#include <cmath>

#include "base/fail.h"

namespace octavo {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 46;

void check_quantization(const PlanTensor& tensor) {
  const Quantization& q = *tensor.quantization;
  if (q.axis >= static_cast<int>(tensor.shape.size())) {
    fail(ErrorCode::invalid_model, "quantized along axis {} of {}", q.axis, shape_text(tensor.shape));
  }
  const std::int64_t count = q.is_per_tensor() ? 1 : tensor.shape[static_cast<std::size_t>(q.axis)].count;
  if (std::ssize(q.scales) != count || std::ssize(q.zero_points) != count) {
    fail(ErrorCode::invalid_model, "{} scales and {} zero points along axis {} of {}", q.scales.size(),
         q.zero_points.size(), q.axis, shape_text(tensor.shape));
  }
  for (float scale : q.scales) {
    if (!(scale > 0.0F) || std::isinf(scale)) fail(ErrorCode::invalid_model, "scale {}", scale);
  }
}

void check_tensor(const Plan& plan, const PlanTensor& tensor) {
  for (std::size_t i = 1; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i].per_image) {
      fail(ErrorCode::invalid_model, "shape {} grows behind its first extent", shape_text(tensor.shape));
    }
  }
  const std::int64_t bytes = tensor_bytes(tensor);
  if (bytes > kMostBytes) fail(ErrorCode::invalid_model, "{} bytes are too many", bytes);
  if (tensor.layout == Layout::channels_last && tensor.shape.size() != 4) {
    fail(ErrorCode::invalid_model, "shape {} cannot be channels_last", shape_text(tensor.shape));
  }
  if (tensor.quantization) check_quantization(tensor);
  const auto below = [&](std::size_t count) {
    if (tensor.offset < 0 || tensor.offset >= static_cast<std::int64_t>(count)) {
      fail(ErrorCode::invalid_model, "index {} of {}", tensor.offset, count);
    }
  };
  if (tensor.storage == Storage::input) below(plan.inputs.size());
  if (tensor.storage == Storage::output) below(plan.outputs.size());
  if (tensor.storage == Storage::weights) {
    below(plan.weights.size());
    const WeightsMember& member = plan.weights[static_cast<std::size_t>(tensor.offset)];
    if (is_per_image(tensor.shape) || bytes > element_count(member.shape) * dtype_bytes(member.dtype)) {
      fail(ErrorCode::invalid_model, "shape {} does not fit its weights '{}'", shape_text(tensor.shape),
           member.member);
    }
  }
  if (tensor.storage == Storage::arena) {
    const std::int64_t room = is_per_image(tensor.shape) ? plan.bytes_per_image : plan.fixed_bytes;
    if (tensor.offset < 0 || tensor.offset % kTensorAlignment != 0 || tensor.offset > room - bytes) {
      fail(ErrorCode::invalid_model, "{} bytes at offset {} of an arena of {}", bytes, tensor.offset, room);
    }
  }
}

/// Whether two tensors of a plan may share bytes while it runs.
bool overlap(const PlanTensor& a, const PlanTensor& b) {
  if (a.storage != b.storage || a.storage == Storage::input || a.storage == Storage::weights) return false;
  if (a.storage == Storage::output) return a.offset == b.offset;
  if (is_per_image(a.shape) != is_per_image(b.shape)) return false;
  return a.offset < b.offset + tensor_bytes(b) && b.offset < a.offset + tensor_bytes(a);
}

void check_index(const Plan& plan, std::int32_t tensor) {
  if (tensor < 0 || static_cast<std::size_t>(tensor) >= plan.tensors.size()) {
    fail(ErrorCode::invalid_model, "tensor {} of {}", tensor, plan.tensors.size());
  }
}

void check_port(const Plan& plan, const Port& port, std::size_t index, Storage storage) {
  check_index(plan, port.tensor);
  const PlanTensor& tensor = plan.tensors[static_cast<std::size_t>(port.tensor)];
  if (tensor.storage != storage || tensor.offset != static_cast<std::int64_t>(index) ||
      tensor.layout != Layout::plain) {
    fail(ErrorCode::invalid_model, "'{}' and its tensor '{}' do not agree", port.name, tensor.name);
  }
}

/// Runs `body`, putting "what 'name'" in front of its errors.
template <class Body>
void in_place(std::string_view what, std::string_view name, Body body) {
  try {
    body();
  } catch (const Error& e) {
    throw Error(ErrorCode::invalid_model, e.what()).within(fmt::format("{} '{}'", what, name));
  }
}

/// Every tensor that shows the caller's memory has the size of the port that the caller gives or gets.
void check_view(const Plan& plan, const PlanTensor& tensor) {
  if (tensor.storage != Storage::input && tensor.storage != Storage::output) return;
  const std::vector<Port>& ports = tensor.storage == Storage::input ? plan.inputs : plan.outputs;
  const Port& port = ports[static_cast<std::size_t>(tensor.offset)];
  const PlanTensor& whole = plan.tensors[static_cast<std::size_t>(port.tensor)];
  if (tensor_bytes(tensor) != tensor_bytes(whole) ||
      is_per_image(tensor.shape) != is_per_image(whole.shape)) {
    fail(ErrorCode::invalid_model, "{}{} is a view of '{}', which is {}{}", dtype_name(tensor.dtype),
         shape_text(tensor.shape), port.name, dtype_name(whole.dtype), shape_text(whole.shape));
  }
}

/// Whether a step may write `to` where its input `at` lies: a residual, exactly as large.
bool may_lie_in_place(const Step& step, std::size_t at, const PlanTensor& from, const PlanTensor& to) {
  return at == 2 && may_overwrite_residual(step) && from.storage == to.storage && from.offset == to.offset &&
         dtype_bytes(from.dtype) == dtype_bytes(to.dtype) && tensor_bytes(from) == tensor_bytes(to) &&
         is_per_image(from.shape) == is_per_image(to.shape);
}

void check_step(const Plan& plan, const Step& step) {
  check_index(plan, step.output);
  const PlanTensor& to = plan.tensors[static_cast<std::size_t>(step.output)];
  if (to.storage == Storage::input || to.storage == Storage::weights) {
    fail(ErrorCode::invalid_model, "writes '{}', which is read-only", to.name);
  }
  for (std::size_t i = 0; i < step.inputs.size(); ++i) {
    check_index(plan, step.inputs[i]);
    const PlanTensor& from = plan.tensors[static_cast<std::size_t>(step.inputs[i])];
    if (overlap(from, to) && !may_lie_in_place(step, i, from, to))
      fail(ErrorCode::invalid_model, "writes '{}' over its input '{}'", to.name, from.name);
  }
}

}  // namespace

bool may_overwrite_residual(const Step& step) {
  const std::string_view problem = step.problem;
  const auto has = [&](std::string_view field) { return problem.find(field) != std::string_view::npos; };
  return problem.starts_with("conv2d ") && (has(" residual1") || has(" residual2"));
}

std::int64_t tensor_bytes(const PlanTensor& tensor) {
  return element_count(tensor.shape).count * dtype_bytes(tensor.dtype);
}

void check(const Plan& plan) {
  if (plan.outputs.empty()) fail(ErrorCode::invalid_model, "the plan has no outputs");
  if (plan.fixed_bytes < 0 || plan.bytes_per_image < 0 || plan.fixed_bytes > kMostBytes ||
      plan.bytes_per_image > kMostBytes) {
    fail(ErrorCode::invalid_model, "arena of {} + {} bytes", plan.fixed_bytes, plan.bytes_per_image);
  }
  for (const PlanTensor& tensor : plan.tensors) {
    in_place("tensor", tensor.name, [&] { check_tensor(plan, tensor); });
  }
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    in_place("input", plan.inputs[i].name, [&] { check_port(plan, plan.inputs[i], i, Storage::input); });
  }
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    in_place("output", plan.outputs[i].name, [&] { check_port(plan, plan.outputs[i], i, Storage::output); });
  }
  for (const PlanTensor& tensor : plan.tensors) {
    in_place("tensor", tensor.name, [&] { check_view(plan, tensor); });
  }
  for (const Step& step : plan.steps) {
    in_place("step", step.problem, [&] { check_step(plan, step); });
  }
}

std::string print(const Plan& plan) {
  const auto tensor_text = [&](std::int32_t index) {
    const PlanTensor& t = plan.tensors[static_cast<std::size_t>(index)];
    return fmt::format("{}:{}{}{}", t.name, dtype_name(t.dtype), shape_text(t.shape),
                       t.layout == Layout::channels_last ? "cl" : "");
  };
  std::string text =
      fmt::format("plan '{}': {} steps, arena {} + N * {} bytes, {} weights\n", plan.name, plan.steps.size(),
                  plan.fixed_bytes, plan.bytes_per_image, plan.weights.size());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    text += fmt::format("{:4} {} = {}(", i, tensor_text(step.output), step.problem);
    for (std::size_t k = 0; k < step.inputs.size(); ++k)
      text += (k > 0 ? ", " : "") + tensor_text(step.inputs[k]);
    text += ")";
    for (const auto& [name, value] : step.parameters) text += fmt::format(" {}={}", name, value);
    if (!step.kernel.empty()) text += fmt::format("  [{}]", step.kernel);
    if (!step.origin.empty()) text += fmt::format("  # {}", step.origin);
    text += "\n";
  }
  return text;
}

void check(const PassShape& pass, ErrorCode code) {
  constexpr std::int64_t kMostBands = 4096, kMostKib = std::int64_t{1} << 40;
  if (pass.images < 0) fail(code, "images_per_pass {}", pass.images);
  if (pass.row_bands < 0 || pass.row_bands > kMostBands)
    fail(code, "row_bands {}, not 0 to {}", pass.row_bands, kMostBands);
  if (pass.l2_kib < 0 || pass.l2_kib > kMostKib) fail(code, "l2_kib {}", pass.l2_kib);
}

}  // namespace octavo
