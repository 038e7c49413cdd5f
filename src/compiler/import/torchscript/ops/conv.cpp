#include <array>

#include "base/fail.h"
#include "compiler/import/torchscript/op_table.h"
#include "compiler/import/torchscript/packed_params.h"

namespace octavo::torchscript {
namespace {

using Ints = std::vector<std::int64_t>;

constexpr Layout kChannelsLast{.channels_last = true, .dense = true};

void expect_weight_rank(const StoredTensor& weight, std::size_t rank) {
  if (weight.sizes.size() != rank) {
    fail(ErrorCode::unsupported, "weights of shape {}, expected {} extents", shape_text(weight.sizes), rank);
  }
}

/// The packed parameters that argument 1 holds.
const PackedParams& parameters_of(OpCall& call) {
  if (Object* const* object = std::get_if<Object*>(&call.argument(1))) {
    call.builder().name_after_parameters((*object)->path);
  }
  return packed_params(call.argument(1), call.builder().tensors());
}

/// The first layer with weights knows how many channels the input has: a guess that does not fit is made
/// again.
void confirm_channels(GraphBuilder& builder, GraphTensor x, std::size_t axis, std::int64_t channels) {
  if (!builder.is_input_guessed) return;
  builder.is_input_guessed = false;
  const Shape& shape = builder.shape(x);
  if (axis < shape.size() && shape[axis].count == channels) return;
  if (channels < 1 || channels > 65536)
    fail(ErrorCode::invalid_model, "weights for {} input channels", channels);
  throw WrongInputGuess{axis == 1 ? Ints{channels, 224, 224} : Ints{channels}};
}

struct ConvSettings {
  Ints stride;
  Ints pad;
  Ints dilation;
  std::int64_t groups;
};

Attributes conv_attributes(const ConvSettings& settings) {
  const Ints& pad = settings.pad;
  return {{"stride", settings.stride},
          {"pad", Ints{pad[0], pad[1], pad[0], pad[1]}},
          {"dilation", settings.dilation},
          {"groups", settings.groups}};
}

ValueId bias_constant(OpCall& call, const StoredTensor* bias) {
  return bias == nullptr ? kNoValue : call.builder().constant(*bias, "bias").id;
}

void confirm_conv_channels(OpCall& call, GraphTensor x, const StoredTensor& weight, std::int64_t groups) {
  std::int64_t channels = 0;
  if (__builtin_mul_overflow(weight.sizes[1], groups, &channels)) {
    fail(ErrorCode::invalid_model, "weights {} in {} groups", shape_text(weight.sizes), groups);
  }
  confirm_channels(call.builder(), x, 1, channels);
}

Value quantized_conv(OpCall& call, std::string_view activation) {
  GraphBuilder& builder = call.builder();
  const GraphTensor x = call.tensor(0);
  const PackedParams& params = parameters_of(call);
  if (params.is_transposed) fail(ErrorCode::unsupported, "transposed convolution");
  expect_weight_rank(*params.weight, 4);
  if (params.stride.size() != 2)
    fail(ErrorCode::invalid_model, "a linear layer's parameters for a convolution");
  confirm_conv_channels(call, x, *params.weight, params.groups);
  Attributes attributes = conv_attributes({params.stride, params.pad, params.dilation, params.groups});
  attributes.merge(quantized_result(call.real(2), call.integer(3)));
  attributes["activation"] = std::string(activation);
  return builder.emit("conv2d",
                      {x.id, builder.constant(*params.weight, "weight").id, bias_constant(call, params.bias)},
                      std::move(attributes), kChannelsLast);
}

Value quantized_linear(OpCall& call, std::string_view activation) {
  GraphBuilder& builder = call.builder();
  const GraphTensor x = call.tensor(0);
  const PackedParams& params = parameters_of(call);
  expect_weight_rank(*params.weight, 2);
  confirm_channels(builder, x, builder.shape(x).size() - 1, params.weight->sizes[1]);
  Attributes attributes = quantized_result(call.real(2), call.integer(3));
  attributes["activation"] = std::string(activation);
  return builder.emit("linear",
                      {x.id, builder.constant(*params.weight, "weight").id, bias_constant(call, params.bias)},
                      std::move(attributes), Layout{});
}

Value quantized_conv2d(OpCall& call) { return quantized_conv(call, "none"); }
Value quantized_conv2d_relu(OpCall& call) { return quantized_conv(call, "relu"); }
Value quantized_linear_plain(OpCall& call) { return quantized_linear(call, "none"); }
Value quantized_linear_relu(OpCall& call) { return quantized_linear(call, "relu"); }

const StoredTensor* optional_stored(OpCall& call, std::size_t i) {
  return call.has(i) ? &as_stored_tensor(call.argument(i), call.what(i)) : nullptr;
}

/// weight, bias, stride, padding, dilation, groups
Value conv2d_prepack(OpCall& call) {
  Object* object = call.heap().object("__torch__.torch.classes.quantized.Conv2dPackedParamsBase");
  object->packed = PackedParams{.weight = &as_stored_tensor(call.argument(0), call.what(0)),
                                .bias = optional_stored(call, 1),
                                .stride = call.pair(2),
                                .pad = call.pair(3),
                                .dilation = call.pair(4),
                                .groups = call.integer(5)};
  return object;
}

Value linear_prepack(OpCall& call) {
  Object* object = call.heap().object("__torch__.torch.classes.quantized.LinearPackedParamsBase");
  object->packed = PackedParams{.weight = &as_stored_tensor(call.argument(0), call.what(0)),
                                .bias = optional_stored(call, 1),
                                .stride = {},
                                .pad = {},
                                .dilation = {}};
  return object;
}

Value float_conv(OpCall& call, const ConvSettings& settings) {
  GraphBuilder& builder = call.builder();
  const GraphTensor x = call.tensor(0);
  const StoredTensor& weight = as_stored_tensor(call.argument(1), call.what(1));
  expect_weight_rank(weight, 4);
  confirm_conv_channels(call, x, weight, settings.groups);
  return builder.emit(
      "conv2d", {x.id, builder.constant(weight, "weight").id, bias_constant(call, optional_stored(call, 2))},
      conv_attributes(settings), x.layout);
}

Value conv2d(OpCall& call) {
  if (std::holds_alternative<std::string>(call.argument(4))) {
    const std::string& mode = as_string(call.argument(4), call.what(4));
    if (mode != "valid") fail(ErrorCode::unsupported, "padding '{:.40}'", mode);
    return float_conv(call, {call.pair_or(3, 1), {0, 0}, call.pair_or(5, 1), call.integer_or(6, 1)});
  }
  return float_conv(call,
                    {call.pair_or(3, 1), call.pair_or(4, 0), call.pair_or(5, 1), call.integer_or(6, 1)});
}

Value convolution(OpCall& call) {
  if (call.truth_or(6, false)) fail(ErrorCode::unsupported, "transposed convolution");
  return float_conv(call,
                    {call.pair_or(3, 1), call.pair_or(4, 0), call.pair_or(5, 1), call.integer_or(8, 1)});
}

Value emit_linear(OpCall& call, std::size_t x_at, const StoredTensor& weight, std::size_t bias_at) {
  GraphBuilder& builder = call.builder();
  const GraphTensor x = call.tensor(x_at);
  expect_weight_rank(weight, 2);
  confirm_channels(builder, x, builder.shape(x).size() - 1, weight.sizes[1]);
  const ValueId bias = call.has(bias_at) ? call.tensor(bias_at, "bias").id : kNoValue;
  return builder.emit("linear", {x.id, builder.constant(weight, "weight").id, bias}, {}, Layout{});
}

Value linear(OpCall& call) {
  return emit_linear(call, 0, as_stored_tensor(call.argument(1), call.what(1)), 2);
}

/// addmm(bias, x, w) = x * w + bias, where traces of old files have w = t(weight).
Value addmm(OpCall& call) {
  if (call.real_or(3, 1.0) != 1.0 || call.real_or(4, 1.0) != 1.0)
    fail(ErrorCode::unsupported, "scaled addmm");
  StoredTensor weight = as_stored_tensor(call.argument(2), call.what(2));
  expect_weight_rank(weight, 2);
  if (weight.strides.size() != 2)
    fail(ErrorCode::invalid_model, "weights with {} strides", weight.strides.size());
  std::swap(weight.sizes[0], weight.sizes[1]);
  std::swap(weight.strides[0], weight.strides[1]);
  return emit_linear(call, 1, *call.heap().tensor(std::move(weight)), 0);
}

Value matmul(OpCall& call) {
  return call.builder().emit("matmul", {call.tensor(0).id, call.tensor(1).id}, {}, Layout{});
}

/// A batch norm without gamma or beta has ones or zeros.
ValueId channel_constant(OpCall& call, std::size_t i, Dim channels, float fallback, std::string_view role) {
  if (call.has(i)) return call.tensor(i, role).id;
  if (channels.count > (std::int64_t{1} << 20)) fail(ErrorCode::invalid_model, "{} channels", channels.count);
  Tensor filled(DType::f32, {channels.count});
  for (float& value : filled.as<float>()) value = fallback;
  return call.builder().constant(std::move(filled), role).id;
}

/// input, weight, bias, running mean, running variance, training, momentum, eps
Value batch_norm(OpCall& call) {
  if (call.truth_or(5, false)) fail(ErrorCode::unsupported, "batch norm in training mode");
  if (!call.has(3) || !call.has(4)) fail(ErrorCode::unsupported, "batch norm without running statistics");
  const GraphTensor x = call.tensor(0);
  const Shape& shape = call.builder().shape(x);
  if (shape.size() < 2) fail(ErrorCode::invalid_model, "batch norm of shape {}", shape_text(shape));
  const Dim channels = shape[1];
  const ValueId gamma = channel_constant(call, 1, channels, 1.0F, "gamma");
  const ValueId beta = channel_constant(call, 2, channels, 0.0F, "beta");
  return call.builder().emit("batchnorm",
                             {x.id, gamma, beta, call.tensor(3, "mean").id, call.tensor(4, "var").id},
                             {{"eps", call.real_or(7, 1e-5)}}, x.layout);
}

constexpr std::array<OpRow, 12> kRows{{
    {"ops.quantized.conv2d", "qx packed_weight output_scale output_zero_point", quantized_conv2d},
    {"ops.quantized.conv2d_relu", "qx packed_weight output_scale output_zero_point", quantized_conv2d_relu},
    {"ops.quantized.linear", "X W_prepack Y_scale_i Y_zero_point_i", quantized_linear_plain},
    {"ops.quantized.linear_relu", "X W_prepack Y_scale_i Y_zero_point_i", quantized_linear_relu},
    {"ops.quantized.conv2d_prepack", "weight bias stride padding dilation groups", conv2d_prepack},
    {"ops.quantized.linear_prepack", "W B", linear_prepack},
    {"torch.conv2d", "input weight bias stride padding dilation groups", conv2d},
    {"torch._convolution",
     "input weight bias stride padding dilation transposed output_padding groups benchmark deterministic "
     "cudnn_enabled "
     "allow_tf32",
     convolution},
    {"torch.linear", "input weight bias", linear},
    {"torch.addmm", "self mat1 mat2 beta alpha", addmm},
    {"torch.matmul", "self other", matmul},
    {"torch.batch_norm", "input weight bias running_mean running_var training momentum eps cudnn_enabled",
     batch_norm},
}};

}  // namespace

std::span<const OpRow> conv_rows() { return kRows; }

}  // namespace octavo::torchscript
