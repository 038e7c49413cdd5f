#pragma once
#include "base/fail.h"
#include "compiler/graph/op.h"

namespace octavo::ops {

/// Attributes of every operator whose result may be quantized: with `scale` the result is `dtype` integers.
/// `arithmetic` says whose rounding is followed, FBGEMM's or ONNX Runtime's (docs/numerics.md).
std::vector<AttributeDef> quantized_result_attributes();
/// The result type those attributes ask for; f32 when there is no `scale`. Checks scale and zero_point
/// ranges.
TensorType result_type(const OpInputs& in, Shape shape);

/// Attributes of a fused clamp: activation = none | relu | clamp, the latter to [lo, hi]. In units of the
/// result's elements: quantized integers when the result is quantized, reals otherwise. relu of a quantized
/// result is max(q, zp).
std::vector<AttributeDef> activation_attributes();

/// numpy broadcasting of two shapes; Error(invalid_model) with both when they do not fit.
Shape broadcast(const Shape& a, const Shape& b);
/// Error(invalid_model) unless input `index` has `rank` extents.
void expect_rank(const OpInputs& in, std::size_t index, std::size_t rank);
/// `axis` counted from the back when negative; Error(invalid_model) when out of range.
std::size_t normalized_axis(std::int64_t axis, std::size_t rank);
/// Joins lists of attribute definitions.
std::vector<AttributeDef> join(std::vector<AttributeDef> a, const std::vector<AttributeDef>& b);

inline AttributeDef required(std::string_view name, AttributeKind kind) { return {name, kind, std::nullopt}; }
/// A real attribute that has no value when absent: ask `Node::has` first.
inline constexpr double kAbsentReal = 0.0;

// The families, each in its own file; `all_ops` joins them.
std::vector<OpDef> conv_ops();
std::vector<OpDef> matrix_ops();
std::vector<OpDef> pool_ops();
std::vector<OpDef> elementwise_ops();
std::vector<OpDef> quantize_ops();
std::vector<OpDef> shape_ops();
std::vector<OpDef> reduce_ops();

}  // namespace octavo::ops
