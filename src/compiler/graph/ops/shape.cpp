#include <algorithm>
#include <numeric>

#include "compiler/graph/ops/infer.h"

namespace octavo::ops {
namespace {

using Ints = std::vector<std::int64_t>;

TensorType infer_reshape(const OpInputs& in) {
  TensorType type = in.type(0);
  const Shape& shape = in.node().shape("shape");
  if (element_count(shape) != element_count(type.shape)) {
    fail(ErrorCode::invalid_model, "cannot reshape {} to {}", shape_text(type.shape), shape_text(shape));
  }
  type.shape = shape;
  return type;
}

TensorType infer_transpose(const OpInputs& in) {
  TensorType type = in.type(0);
  const Ints& perm = in.node().integers("perm");
  Ints sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  Ints expected(type.shape.size());
  std::iota(expected.begin(), expected.end(), 0);
  if (sorted != expected) {
    fail(ErrorCode::invalid_model, "'perm' {} does not permute shape {}", shape_text(perm),
         shape_text(type.shape));
  }
  for (std::size_t i = 0; i < perm.size(); ++i) {
    type.shape[i] = in.type(0).shape[static_cast<std::size_t>(perm[i])];
  }
  return type;
}

TensorType infer_cat(const OpInputs& in) {
  TensorType type = in.type(0);
  const std::size_t axis = normalized_axis(in.node().integer("axis"), type.shape.size());
  for (std::size_t i = 1; i < in.count(); ++i) {
    Shape other = in.type(i).shape;
    if (other.size() != type.shape.size() || other[axis].per_image != type.shape[axis].per_image) {
      fail(ErrorCode::invalid_model, "cannot join {} and {}", shape_text(type.shape), shape_text(other));
    }
    const Dim own = type.shape[axis];
    type.shape[axis].count += other[axis].count;
    other[axis] = type.shape[axis];
    if (other != type.shape) {
      type.shape[axis] = own;
      fail(ErrorCode::invalid_model, "cannot join {} and {} along axis {}", shape_text(type.shape),
           shape_text(in.type(i).shape), axis);
    }
    if (in.type(i).dtype != type.dtype && !in.node().has("scale")) {
      fail(ErrorCode::invalid_model, "cannot join {} and {}", dtype_name(type.dtype),
           dtype_name(in.type(i).dtype));
    }
  }
  return in.node().has("scale") ? result_type(in, type.shape) : type;
}

TensorType infer_slice(const OpInputs& in) {
  TensorType type = in.type(0);
  const Ints& begin = in.node().integers("begin");
  const Ints& end = in.node().integers("end");
  const Ints& step = in.node().integers("step");
  if (begin.size() != type.shape.size() || end.size() != begin.size() || step.size() != begin.size()) {
    fail(ErrorCode::invalid_model, "slice bounds have {} entries, expected {}", begin.size(),
         type.shape.size());
  }
  for (std::size_t i = 0; i < begin.size(); ++i) {
    Dim& dim = type.shape[i];
    if (begin[i] == 0 && end[i] == dim.count && step[i] == 1) continue;
    if (dim.per_image)
      fail(ErrorCode::unsupported, "slice of the batch extent of {}", shape_text(type.shape));
    const bool inside = step[i] > 0   ? 0 <= begin[i] && begin[i] <= end[i] && end[i] <= dim.count
                        : step[i] < 0 ? -1 <= end[i] && end[i] <= begin[i] && begin[i] < dim.count
                                      : false;
    if (!inside) {
      fail(ErrorCode::invalid_model, "slice {}:{}:{} of extent {}", begin[i], end[i], step[i], dim.count);
    }
    const std::int64_t size = step[i] > 0 ? end[i] - begin[i] : begin[i] - end[i];
    const std::int64_t stride = step[i] > 0 ? step[i] : -step[i];
    dim.count = (size + stride - 1) / stride;
  }
  return type;
}

TensorType infer_pad(const OpInputs& in) {
  TensorType type = in.type(0);
  const Ints& before = in.node().integers("before");
  const Ints& after = in.node().integers("after");
  if (before.size() != type.shape.size() || after.size() != before.size()) {
    fail(ErrorCode::invalid_model, "padding has {} entries, expected {}", before.size(), type.shape.size());
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == 0 && after[i] == 0) continue;
    if (type.shape[i].per_image) fail(ErrorCode::unsupported, "padding of the batch extent");
    if (before[i] < 0 || after[i] < 0 || before[i] > 65535 || after[i] > 65535) {
      fail(ErrorCode::invalid_model, "padding {} before, {} after", before[i], after[i]);
    }
    type.shape[i].count += before[i] + after[i];
  }
  return type;
}

TensorType infer_expand(const OpInputs& in) {
  TensorType type = in.type(0);
  type.shape = broadcast(type.shape, in.node().shape("shape"));
  return type;
}

TensorType infer_gather(const OpInputs& in) {
  TensorType type = in.type(0);
  const std::size_t axis = normalized_axis(in.node().integer("axis"), type.shape.size());
  Shape shape(type.shape.begin(), type.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  const Shape& indices = in.type(1).shape;
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), type.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, type.shape.end());
  type.shape = std::move(shape);
  return type;
}

}  // namespace

/// reshape(x) shape=[N,1024] (complete, no -1); transpose(x) perm; cat(x...) axis, of quantized inputs with
/// another scale than the result's each is requantized; slice(x) begin, end, step: one entry per extent,
/// within it; pad(x) before, after: one entry per extent, with `value` in units of the stored elements;
/// expand(x) shape: numpy's broadcast_to; gather(data, indices s64) axis.
std::vector<OpDef> shape_ops() {
  return {{"reshape", 1, 1, {required("shape", AttributeKind::shape)}, infer_reshape},
          {"transpose", 1, 1, {required("perm", AttributeKind::integers)}, infer_transpose},
          {"cat", 1, SIZE_MAX,
           join({required("axis", AttributeKind::integer)}, quantized_result_attributes()), infer_cat},
          {"slice",
           1,
           1,
           {required("begin", AttributeKind::integers), required("end", AttributeKind::integers),
            required("step", AttributeKind::integers)},
           infer_slice},
          {"pad",
           1,
           1,
           {required("before", AttributeKind::integers),
            required("after", AttributeKind::integers),
            {"value", AttributeKind::real, 0.0}},
           infer_pad},
          {"expand", 1, 1, {required("shape", AttributeKind::shape)}, infer_expand},
          {"gather", 2, 2, {{"axis", AttributeKind::integer, std::int64_t{0}}}, infer_gather}};
}

}  // namespace octavo::ops
