#include <array>
#include <limits>

#include "base/fail.h"
#include "compiler/import/torchscript/op_table.h"

namespace octavo::torchscript {
namespace {

/// Elementwise results are dense, in the order of their operand.
Layout dense(GraphTensor x) { return {.channels_last = x.layout.channels_last, .dense = true}; }

Value unary(OpCall& call, std::string_view op, Attributes attributes = {}) {
  const GraphTensor x = call.tensor(0);
  return call.builder().emit(op, {x.id}, std::move(attributes), dense(x));
}

/// A function whose quantized results PyTorch always gives the same quantization: scale, zero_point.
Value with_fixed_range(OpCall& call, std::string_view op, double scale, std::int64_t zero_point) {
  const TensorType& type = call.builder().type(call.tensor(0));
  if (!type.quantization) return unary(call, op);
  if (type.dtype != DType::u8) fail(ErrorCode::unsupported, "{} of {} values", op, dtype_name(type.dtype));
  return unary(call, op, quantized_result(scale, zero_point));
}

/// The result's own quantization, given by the arguments from `scale_at`.
Value with_given_range(OpCall& call, std::string_view op, std::size_t scale_at, Attributes attributes = {}) {
  attributes.merge(quantized_result(call.real(scale_at), call.integer(scale_at + 1),
                                    call.builder().type(call.tensor(0)).dtype));
  return unary(call, op, std::move(attributes));
}

/// Bounds in units of the stored elements.
Value clip(OpCall& call, double lo, double hi) {
  const TensorType& type = call.builder().type(call.tensor(0));
  if (type.quantization) {
    lo = quantized_bound(lo, type);
    hi = quantized_bound(hi, type);
  }
  return unary(call, "clip", {{"lo", lo}, {"hi", hi}});
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value relu(OpCall& call) { return unary(call, "relu"); }
Value relu6(OpCall& call) { return clip(call, 0.0, 6.0); }
Value hardtanh(OpCall& call) { return clip(call, call.real_or(1, -1.0), call.real_or(2, 1.0)); }
Value clamp(OpCall& call) { return clip(call, call.real_or(1, -kInfinity), call.real_or(2, kInfinity)); }
Value sigmoid(OpCall& call) { return with_fixed_range(call, "sigmoid", 1.0 / 256.0, 0); }
Value hardsigmoid(OpCall& call) { return with_fixed_range(call, "hardsigmoid", 1.0 / 256.0, 0); }
Value tanh(OpCall& call) { return with_fixed_range(call, "tanh", 2.0 / 256.0, 128); }
Value leaky_relu(OpCall& call) { return unary(call, "leaky_relu", {{"alpha", call.real_or(1, 0.01)}}); }
Value quantized_sigmoid(OpCall& call) { return with_given_range(call, "sigmoid", 1); }
Value quantized_hardswish(OpCall& call) { return with_given_range(call, "hardswish", 1); }

/// qx, negative_slope, inplace, output_scale, output_zero_point
Value quantized_leaky_relu(OpCall& call) {
  return with_given_range(call, "leaky_relu", 3, {{"alpha", call.real(1)}});
}

/// self, output_scale, output_zero_point, alpha, scale, input_scale
Value quantized_elu(OpCall& call) {
  if (call.real_or(4, 1.0) != 1.0 || call.real_or(5, 1.0) != 1.0) fail(ErrorCode::unsupported, "scaled elu");
  return with_given_range(call, "elu", 1, {{"alpha", call.real_or(3, 1.0)}});
}

Value hardswish(OpCall& call) {
  if (call.builder().type(call.tensor(0)).quantization) {
    fail(ErrorCode::unsupported, "hardswish of quantized values without a scale for its result");
  }
  return unary(call, "hardswish");
}

Value elu(OpCall& call) {
  if (call.real_or(2, 1.0) != 1.0 || call.real_or(3, 1.0) != 1.0) fail(ErrorCode::unsupported, "scaled elu");
  return unary(call, "elu", {{"alpha", call.real_or(1, 1.0)}});
}

/// x * sigmoid(x)
Value silu(OpCall& call) {
  const GraphTensor x = call.tensor(0);
  if (call.builder().type(x).quantization) fail(ErrorCode::unsupported, "silu of quantized values");
  const GraphTensor gate = call.builder().emit("sigmoid", {x.id}, {}, dense(x));
  return call.builder().emit("mul", {x.id, gate.id}, {}, dense(x));
}

Value exp(OpCall& call) { return unary(call, "exp"); }
Value log(OpCall& call) { return unary(call, "log"); }
Value sqrt(OpCall& call) { return unary(call, "sqrt"); }
Value abs(OpCall& call) { return unary(call, "abs"); }

/// input, p, train
Value dropout(OpCall& call) {
  if (call.truth_or(2, false)) fail(ErrorCode::unsupported, "dropout in training mode");
  return call.tensor(0);
}

constexpr std::array<OpRow, 24> kRows{{
    {"torch.relu", "self", relu},
    {"torch.relu6", "self", relu6},
    {"ops.quantized.relu6", "qx inplace", relu6},
    {"torch.hardtanh", "self min_val max_val", hardtanh},
    {"torch.clamp", "self min max", clamp},
    {"torch.clip", "self min max", clamp},
    {"torch.sigmoid", "self", sigmoid},
    {"ops.quantized.sigmoid", "qx output_scale output_zero_point", quantized_sigmoid},
    {"torch.hardsigmoid", "self", hardsigmoid},
    {"torch.tanh", "self", tanh},
    {"torch.hardswish", "self", hardswish},
    {"ops.quantized.hardswish", "input output_scale output_zero_point", quantized_hardswish},
    {"torch.leaky_relu", "self negative_slope", leaky_relu},
    {"ops.quantized.leaky_relu", "qx negative_slope inplace output_scale output_zero_point",
     quantized_leaky_relu},
    {"torch.elu", "self alpha scale input_scale", elu},
    {"ops.quantized.elu", "self output_scale output_zero_point alpha scale input_scale", quantized_elu},
    {"torch.silu", "self", silu},
    {"torch.exp", "self", exp},
    {"torch.log", "self", log},
    {"torch.sqrt", "self", sqrt},
    {"torch.abs", "self", abs},
    {"torch.dropout", "input p train", dropout},
    {"torch.feature_dropout", "input p train", dropout},
    {"torch.alpha_dropout", "input p train", dropout},
}};

}  // namespace

std::span<const OpRow> activation_rows() { return kRows; }

}  // namespace octavo::torchscript
