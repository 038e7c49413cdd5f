#include "compiler/graph/ops/infer.h"

#include <algorithm>
#include <cmath>

namespace octavo::ops {

std::vector<AttributeDef> quantized_result_attributes() {
  return {{"scale", AttributeKind::real, kAbsentReal},
          {"zero_point", AttributeKind::integer, std::int64_t{0}},
          {"dtype", AttributeKind::text, std::string("u8")},
          {"arithmetic", AttributeKind::text, std::string("fbgemm")}};
}

TensorType result_type(const OpInputs& in, Shape shape) {
  const Node& node = in.node();
  if (!node.has("scale")) return {DType::f32, std::move(shape), std::nullopt};
  const std::string& dtype_text = node.text("dtype");
  if (dtype_text != "u8" && dtype_text != "s8") {
    fail(ErrorCode::unsupported, "quantized dtype '{}' (u8 and s8 are)", dtype_text);
  }
  const std::string& arithmetic = node.text("arithmetic");
  if (arithmetic != "fbgemm" && arithmetic != "ort") {
    fail(ErrorCode::invalid_model, "arithmetic '{}' (fbgemm and ort are known)", arithmetic);
  }
  const bool is_signed = dtype_text == "s8";
  const std::int64_t lowest = is_signed ? -128 : 0;
  const double scale = node.real("scale");
  const std::int64_t zero_point = node.integer("zero_point");
  if (!(scale > 0.0) || !std::isfinite(scale))
    fail(ErrorCode::invalid_model, "scale {} is not positive", scale);
  if (zero_point < lowest || zero_point > lowest + 255) {
    fail(ErrorCode::invalid_model, "zero_point {} is outside {}", zero_point, dtype_text);
  }
  return {is_signed ? DType::s8 : DType::u8, std::move(shape),
          Quantization::per_tensor(static_cast<float>(scale), static_cast<std::int32_t>(zero_point))};
}

std::vector<AttributeDef> activation_attributes() {
  return {{"activation", AttributeKind::text, std::string("none")},
          {"lo", AttributeKind::real, -INFINITY},
          {"hi", AttributeKind::real, INFINITY}};
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), Dim{1, false});
  const auto put = [&](const Shape& shape) {
    const std::size_t offset = result.size() - shape.size();
    for (std::size_t i = 0; i < shape.size(); ++i) {
      Dim& dim = result[offset + i];
      if (shape[i] == Dim{1, false} || shape[i] == dim) continue;
      if (dim != Dim{1, false}) {
        fail(ErrorCode::invalid_model, "shapes {} and {} do not broadcast", shape_text(a), shape_text(b));
      }
      dim = shape[i];
    }
  };
  put(a);
  put(b);
  return result;
}

void expect_rank(const OpInputs& in, std::size_t index, std::size_t rank) {
  const Shape& shape = in.type(index).shape;
  if (shape.size() != rank) {
    fail(ErrorCode::invalid_model, "input {} has shape {}, expected {} extents", index, shape_text(shape),
         rank);
  }
}

std::size_t normalized_axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail(ErrorCode::invalid_model, "axis {} of a tensor with {} extents", axis, rank);
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::vector<AttributeDef> join(std::vector<AttributeDef> a, const std::vector<AttributeDef>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace octavo::ops
