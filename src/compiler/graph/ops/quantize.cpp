#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

TensorType infer_quantize(const OpInputs& in) {
  if (!in.node().has("scale")) fail(ErrorCode::invalid_model, "'scale' is missing");
  return result_type(in, in.type(0).shape);
}

TensorType infer_dequantize(const OpInputs& in) {
  if (!in.type(0).quantization) {
    fail(ErrorCode::invalid_model, "input is {} without a quantization", dtype_name(in.type(0).dtype));
  }
  return {DType::f32, in.type(0).shape, std::nullopt};
}

TensorType infer_cast(const OpInputs& in) {
  const auto dtype = parse_dtype(in.node().text("to"));
  if (!dtype) fail(ErrorCode::invalid_model, "unknown dtype '{}'", in.node().text("to"));
  return {*dtype, in.type(0).shape, std::nullopt};
}

TensorType infer_dynamic_quantize(const OpInputs& in) { return {DType::u8, in.type(0).shape, std::nullopt}; }
TensorType infer_dynamic_scale(const OpInputs&) { return {DType::f32, {}, std::nullopt}; }
TensorType infer_dynamic_zero_point(const OpInputs&) { return {DType::u8, {}, std::nullopt}; }

}  // namespace

/// quantize(f32) -> scale, zero_point, dtype; dequantize -> f32; requantize: to another quantization (through
/// f32); cast(x) to=DTYPE converts plain numbers.  dynamic_quantize, dynamic_scale, dynamic_zero_point are
/// the three results of ONNX's DynamicQuantizeLinear.
std::vector<OpDef> quantize_ops() {
  return {{"quantize", 1, 1, quantized_result_attributes(), infer_quantize},
          {"dequantize", 1, 1, {}, infer_dequantize},
          {"requantize", 1, 1, quantized_result_attributes(), infer_quantize},
          {"cast", 1, 1, {required("to", AttributeKind::text)}, infer_cast},
          {"dynamic_quantize", 1, 1, {}, infer_dynamic_quantize},
          {"dynamic_scale", 1, 1, {}, infer_dynamic_scale},
          {"dynamic_zero_point", 1, 1, {}, infer_dynamic_zero_point}};
}

}  // namespace octavo::ops
