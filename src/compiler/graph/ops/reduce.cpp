#include <algorithm>

#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

TensorType infer_reduce(const OpInputs& in) {
  TensorType type = in.type(0);
  const bool keep = in.node().integer("keep") != 0;
  std::vector<bool> reduced(type.shape.size(), false);
  for (std::int64_t axis : in.node().integers("axes")) reduced[normalized_axis(axis, reduced.size())] = true;
  Shape shape;
  for (std::size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) {
      shape.push_back(type.shape[i]);
      continue;
    }
    if (type.shape[i].per_image)
      fail(ErrorCode::unsupported, "reduction over the batch of {}", shape_text(type.shape));
    if (keep) shape.push_back({1, false});
  }
  if (in.node().has("scale")) return result_type(in, std::move(shape));
  type.shape = std::move(shape);
  return type;
}

TensorType infer_softmax(const OpInputs& in) {
  const TensorType& x = in.type(0);
  const std::size_t axis = normalized_axis(in.node().integer("axis"), x.shape.size());
  if (x.shape[axis].per_image)
    fail(ErrorCode::unsupported, "softmax over the batch of {}", shape_text(x.shape));
  return x;
}

OpDef reduce(std::string_view name) {
  return {name, 1, 1,
          join({required("axes", AttributeKind::integers),
                {"keep", AttributeKind::integer, std::int64_t{0}},
                {"rounding", AttributeKind::text, std::string("channels_last")}},
               quantized_result_attributes()),
          infer_reduce};
}

}  // namespace

/// mean, sum, max, min over `axes` (kept as extents of 1 when keep=1); mean of quantized values rounds as
/// `rounding` says (see avg_pool2d). softmax, log_softmax over `axis`.
std::vector<OpDef> reduce_ops() {
  const std::vector<AttributeDef> axis{{"axis", AttributeKind::integer, std::int64_t{-1}}};
  return {reduce("mean"),
          reduce("sum"),
          reduce("reduce_max"),
          reduce("reduce_min"),
          {"softmax", 1, 1, axis, infer_softmax},
          {"log_softmax", 1, 1, axis, infer_softmax}};
}

}  // namespace octavo::ops
