#include "engine/kernels/output_stage.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace octavo {
namespace {

/// A parameter in units of stored integers, brought into what `range` can hold.
std::int32_t stored_bound(const Parameters& parameters, std::string_view name, StoredRange range) {
  const auto found = parameters.find(name);
  if (found == parameters.end() || std::isnan(found->second)) {
    fail(ErrorCode::invalid_argument, "activation=clamp without a number for '{}'", name);
  }
  const double inside =
      std::clamp(std::nearbyint(found->second), double{1} * range.lowest, double{1} * range.highest);
  return static_cast<std::int32_t>(inside);
}

void set_multipliers(const Operands& operands, std::int64_t channels, float result_scale,
                     OutputStage& stage) {
  const TensorQuantization x = tensor_quantization(operands.inputs[0], "x");
  const Quantization* weights = operands.inputs[1].quantization;
  stage.one_weight_scale = weights != nullptr && weights->is_per_tensor();
  for (float w_scale : channel_quantization(operands.inputs[1], channels, "w").scales) {
    const float m = x.scale * w_scale;
    stage.scale_of_sum.push_back(m);
    stage.multiplier.push_back(m / result_scale);
  }
  if (stage.one_weight_scale) stage.bias_factor = static_cast<float>(1.0 / stage.scale_of_sum.front());
}

}  // namespace

StoredRange activated_range(DType dtype, std::int32_t zero_point, Activation activation,
                            const Parameters& parameters) {
  StoredRange range = stored_range(dtype);
  if (activation == Activation::relu) range.lowest = zero_point;
  if (activation == Activation::clamp) {
    const std::int32_t highest = stored_bound(parameters, "hi", range);
    range = {std::min(stored_bound(parameters, "lo", range), highest), highest};
  }
  return range;
}

OutputStage output_stage(const Operands& operands, std::int64_t channels, Activation activation) {
  const TensorQuantization y = tensor_quantization(operands.output, "y");
  OutputStage stage;
  set_multipliers(operands, channels, y.scale, stage);
  stage.zero_point = y.zero_point;
  if (is_stored_integer(operands.output.dtype)) {
    stage.range = activated_range(operands.output.dtype, y.zero_point, activation, operands.parameters);
  }
  return stage;
}

OutputStage output_stage_with_residual(const Operands& operands, std::int64_t channels,
                                       Activation conv_activation, Activation activation) {
  const auto conv_scale = static_cast<float>(operands.parameter("conv_scale", 1.0));
  const double conv_zero_point = operands.parameter("conv_zero_point");
  const StoredRange whole = stored_range(operands.output.dtype);
  if (!(conv_zero_point >= whole.lowest && conv_zero_point <= whole.highest)) {
    fail(ErrorCode::invalid_argument, "conv_zero_point is {}, expected {} to {}", conv_zero_point,
         whole.lowest, whole.highest);
  }
  const TensorQuantization y = tensor_quantization(operands.output, "y");
  OutputStage stage;
  set_multipliers(operands, channels, conv_scale, stage);
  stage.zero_point = static_cast<std::int32_t>(conv_zero_point);
  stage.range =
      activated_range(operands.output.dtype, stage.zero_point, conv_activation, operands.parameters);
  stage.result = {conv_scale, stage.zero_point};
  stage.residual = tensor_quantization(operands.inputs[2], "residual");
  stage.sum = y;
  stage.sum_range = activated_range(operands.output.dtype, y.zero_point, activation, operands.parameters);
  return stage;
}

}  // namespace octavo
