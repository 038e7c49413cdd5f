#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

using Ints = std::vector<std::int64_t>;

/// Output extent of a window: floor((in + before + after - dilation * (kernel - 1) - 1) / stride) + 1.
std::int64_t window_count(std::int64_t in, std::int64_t before, std::int64_t after, std::int64_t kernel,
                          std::int64_t stride, std::int64_t dilation) {
  const std::int64_t span = in + before + after - dilation * (kernel - 1) - 1;
  if (span < 0) {
    fail(ErrorCode::invalid_model, "kernel {} with dilation {} is larger than the padded input {}", kernel,
         dilation, in + before + after);
  }
  return span / stride + 1;
}

void check_list(const Node& node, std::string_view name, std::size_t count, std::int64_t least) {
  const Ints& values = node.integers(name);
  if (values.size() != count) {
    fail(ErrorCode::invalid_model, "'{}' has {} entries, expected {}", name, values.size(), count);
  }
  for (std::int64_t v : values) {
    if (v < least || v > 65535) fail(ErrorCode::invalid_model, "'{}' holds {}", name, v);
  }
}

/// Weights are constant when the graph is lowered; before, a pass may still have to compute them.
void check_weights(const OpInputs& in) {
  const TensorType& x = in.type(0);
  const TensorType& w = in.type(1);
  const bool quantized = x.quantization.has_value();
  if (quantized != w.quantization.has_value()) {
    fail(ErrorCode::invalid_model, "input is {} but weights are {}", dtype_name(x.dtype),
         dtype_name(w.dtype));
  }
  if (quantized && !w.quantization->is_per_tensor() && w.quantization->axis != 0) {
    fail(ErrorCode::unsupported, "weights quantized along axis {}, expected 0", w.quantization->axis);
  }
}

Shape conv_shape(const OpInputs& in, std::size_t bias) {
  expect_rank(in, 0, 4);
  expect_rank(in, 1, 4);
  check_weights(in);
  const Node& node = in.node();
  check_list(node, "stride", 2, 1);
  check_list(node, "pad", 4, 0);
  check_list(node, "dilation", 2, 1);
  const Shape& x = in.type(0).shape;
  const Shape& w = in.type(1).shape;
  const std::int64_t groups = node.integer("groups");
  if (groups < 1 || w[1].count * groups != x[1].count || w[0].count % groups != 0) {
    fail(ErrorCode::invalid_model, "input {} with weights {} and groups={}", shape_text(x), shape_text(w),
         groups);
  }
  if (in.has(bias) && in.type(bias).shape != Shape{w[0]}) {
    fail(ErrorCode::invalid_model, "bias has shape {}, expected [{}]", shape_text(in.type(bias).shape),
         w[0].count);
  }
  const Ints& stride = node.integers("stride");
  const Ints& pad = node.integers("pad");
  const Ints& dilation = node.integers("dilation");
  const std::int64_t oh = window_count(x[2].count, pad[0], pad[2], w[2].count, stride[0], dilation[0]);
  const std::int64_t ow = window_count(x[3].count, pad[1], pad[3], w[3].count, stride[1], dilation[1]);
  return {x[0], w[0], {oh, false}, {ow, false}};
}

TensorType infer_conv2d(const OpInputs& in) { return result_type(in, conv_shape(in, 2)); }

TensorType infer_conv2d_add(const OpInputs& in) {
  Shape shape = conv_shape(in, 3);
  if (in.type(2).shape != shape) {
    fail(ErrorCode::invalid_model, "residual has shape {}, expected {}", shape_text(in.type(2).shape),
         shape_text(shape));
  }
  return result_type(in, std::move(shape));
}

std::vector<AttributeDef> conv_attributes() {
  return join(join({{"stride", AttributeKind::integers, Ints{1, 1}},
                    {"pad", AttributeKind::integers, Ints{0, 0, 0, 0}},
                    {"dilation", AttributeKind::integers, Ints{1, 1}},
                    {"groups", AttributeKind::integer, std::int64_t{1}}},
                   quantized_result_attributes()),
              activation_attributes());
}

}  // namespace

/// conv2d(x [n, ic, ih, iw], w [oc, ic / groups, kh, kw], bias [oc] or absent); pad = top, left, bottom,
/// right; quantized inputs are padded with their zero point. A bias of a quantized convolution is f32
/// (fbgemm) or s32 in units of scale(x) * scale(w) (ort). conv2d_add(x, w, residual, bias or absent): the
/// convolution's result, quantized with `conv_scale`, `conv_zero_point` and clamped by its own
/// `conv_activation`, plus the residual as `add` computes it, the residual as its first operand if
/// `residual_first`.
std::vector<OpDef> conv_ops() {
  return {{"conv2d", 2, 3, conv_attributes(), infer_conv2d},
          {"conv2d_add", 3, 4,
           join(conv_attributes(), {{"conv_scale", AttributeKind::real, kAbsentReal},
                                    {"conv_zero_point", AttributeKind::integer, std::int64_t{0}},
                                    {"conv_activation", AttributeKind::text, std::string("none")},
                                    {"residual_first", AttributeKind::integer, std::int64_t{0}}}),
           infer_conv2d_add}};
}

}  // namespace octavo::ops
