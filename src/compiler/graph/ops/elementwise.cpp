#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

TensorType infer_binary(const OpInputs& in) {
  const TensorType& a = in.type(0);
  const TensorType& b = in.type(1);
  Shape shape = broadcast(a.shape, b.shape);
  if (in.node().has("scale")) return result_type(in, std::move(shape));
  if (a.dtype != b.dtype) {
    fail(ErrorCode::invalid_model, "operands are {} and {}", dtype_name(a.dtype), dtype_name(b.dtype));
  }
  if (a.quantization || b.quantization)
    fail(ErrorCode::invalid_model, "quantized operands but no result scale");
  return {a.dtype, std::move(shape), std::nullopt};
}

/// The same type; a table function of quantized values may give its result a quantization of its own.
TensorType infer_unary(const OpInputs& in) {
  if (in.node().has("scale")) return result_type(in, in.type(0).shape);
  return in.type(0);
}

TensorType infer_same(const OpInputs& in) { return in.type(0); }

TensorType infer_batchnorm(const OpInputs& in) {
  const TensorType& x = in.type(0);
  if (x.shape.size() < 2) fail(ErrorCode::invalid_model, "batch norm of shape {}", shape_text(x.shape));
  for (std::size_t i = 1; i < 5; ++i) {
    if (in.type(i).shape != Shape{x.shape[1]}) {
      fail(ErrorCode::invalid_model, "parameter {} has shape {}, expected [{}]", i,
           shape_text(in.type(i).shape), dim_text(x.shape[1]));
    }
  }
  return x;
}

OpDef unary(std::string_view name, std::vector<AttributeDef> own = {}) {
  return {name, 1, 1, join(std::move(own), quantized_result_attributes()), infer_unary};
}

}  // namespace

/// Binary operators broadcast as numpy does. add and mul also take quantized operands (then `scale` is
/// required); a fused activation acts on the result. Unary operators on quantized values are tables of 256
/// entries: dequantize, function in f32, quantize.  clip acts on stored elements: real bounds on reals,
/// quantized bounds on quantized values. batchnorm(x [n, c, ...], gamma, beta, mean, var).
std::vector<OpDef> elementwise_ops() {
  const auto quantized = join(quantized_result_attributes(), activation_attributes());
  const AttributeDef lo{"lo", AttributeKind::real, -INFINITY};
  const AttributeDef hi{"hi", AttributeKind::real, INFINITY};
  return {
      {"add", 2, 2, quantized, infer_binary},
      {"mul", 2, 2, quantized, infer_binary},
      {"sub", 2, 2, {}, infer_binary},
      {"div", 2, 2, {}, infer_binary},
      {"minimum", 2, 2, {}, infer_binary},
      {"maximum", 2, 2, {}, infer_binary},
      {"pow", 2, 2, {}, infer_binary},
      {"relu", 1, 1, {}, infer_same},
      {"clip", 1, 1, {lo, hi}, infer_same},
      unary("sigmoid"),
      unary("tanh"),
      unary("hardswish"),
      unary("hardsigmoid", {{"alpha", AttributeKind::real, 1.0 / 6.0}, {"beta", AttributeKind::real, 0.5}}),
      unary("leaky_relu", {{"alpha", AttributeKind::real, 0.01}}),
      unary("elu", {{"alpha", AttributeKind::real, 1.0}}),
      unary("exp"),
      unary("log"),
      unary("sqrt"),
      unary("neg"),
      unary("abs"),
      unary("erf"),
      unary("floor"),
      unary("ceil"),
      unary("round"),
      unary("reciprocal"),
      unary("softplus"),
      {"batchnorm", 5, 5, {{"eps", AttributeKind::real, 1e-5}}, infer_batchnorm}};
}

}  // namespace octavo::ops
