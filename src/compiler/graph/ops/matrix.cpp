#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

TensorType infer_linear(const OpInputs& in) {
  expect_rank(in, 1, 2);
  const TensorType& x = in.type(0);
  const TensorType& w = in.type(1);
  if (x.shape.empty() || x.shape.back() != w.shape[1]) {
    fail(ErrorCode::invalid_model, "input {} with weights {}", shape_text(x.shape), shape_text(w.shape));
  }
  if (x.quantization.has_value() != w.quantization.has_value()) {
    fail(ErrorCode::invalid_model, "input is {} but weights are {}", dtype_name(x.dtype),
         dtype_name(w.dtype));
  }
  if (in.has(2) && in.type(2).shape != Shape{w.shape[0]}) {
    fail(ErrorCode::invalid_model, "bias has shape {}, expected [{}]", shape_text(in.type(2).shape),
         w.shape[0].count);
  }
  Shape shape = x.shape;
  shape.back() = w.shape[0];
  return result_type(in, std::move(shape));
}

/// numpy matmul: the last two extents multiply, the others broadcast; a 1-D operand gets an extent of 1 that
/// goes again.
Shape matmul_shape(Shape a, Shape b) {
  const std::string texts = shape_text(a) + " and " + shape_text(b);
  if (a.empty() || b.empty()) fail(ErrorCode::invalid_model, "matrix product of {}", texts);
  const bool a_is_vector = a.size() == 1;
  const bool b_is_vector = b.size() == 1;
  if (a_is_vector) a.insert(a.begin(), Dim{1, false});
  if (b_is_vector) b.push_back(Dim{1, false});
  const Dim m = a[a.size() - 2];
  const Dim n = b[b.size() - 1];
  if (a.back() != b[b.size() - 2]) fail(ErrorCode::invalid_model, "matrix product of {}", texts);
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  Shape shape = broadcast(a, b);
  if (!a_is_vector) shape.push_back(m);
  if (!b_is_vector) shape.push_back(n);
  return shape;
}

TensorType infer_matmul(const OpInputs& in) {
  return result_type(in, matmul_shape(in.type(0).shape, in.type(1).shape));
}

TensorType infer_matmul_integer(const OpInputs& in) {
  return {DType::s32, matmul_shape(in.type(0).shape, in.type(1).shape), std::nullopt};
}

}  // namespace

/// linear(x [..., ic], w [oc, ic], bias [oc] or absent) = x * w^T + bias.
/// matmul(a, b): numpy's matmul of two tensors of which neither need be constant.
/// matmul_integer(a, b, a_zero_point or absent, b_zero_point or absent) -> s32.
std::vector<OpDef> matrix_ops() {
  const auto attributes = join(quantized_result_attributes(), activation_attributes());
  return {{"linear", 2, 3, attributes, infer_linear},
          {"matmul", 2, 2, quantized_result_attributes(), infer_matmul},
          {"matmul_integer", 2, 4, {}, infer_matmul_integer}};
}

}  // namespace octavo::ops
