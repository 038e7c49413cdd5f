#include "compiler/import/onnx/evaluate.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "base/fail.h"
#include "compiler/import/onnx/parameters.h"
#include "compiler/import/onnx/tensor_proto.h"

namespace octavo::onnx_import {
namespace {

using Result = std::optional<Known>;

std::int64_t count_of(const Ints& shape) { return element_count(shape); }

/// The row-major position in a tensor of `from`'s extents that broadcasting pairs with position `index` in
/// `to`'s.
std::size_t broadcast_position(std::size_t index, const Ints& to, const Ints& from) {
  std::size_t position = 0;
  std::size_t stride = 1;
  for (std::size_t back = 1; back <= to.size(); ++back) {
    const auto extent = static_cast<std::size_t>(to[to.size() - back]);
    const std::size_t coordinate = index % extent;
    index /= extent;
    if (back > from.size()) continue;
    const auto own = static_cast<std::size_t>(from[from.size() - back]);
    if (own != 1) position += coordinate * stride;
    stride *= own;
  }
  return position;
}

std::optional<Ints> broadcast_shape(const Ints& a, const Ints& b) {
  Ints shape(std::max(a.size(), b.size()), 1);
  for (const Ints* own : {&a, &b}) {
    const std::size_t offset = shape.size() - own->size();
    for (std::size_t i = 0; i < own->size(); ++i) {
      if ((*own)[i] == 1) continue;
      if (shape[offset + i] != 1 && shape[offset + i] != (*own)[i]) return std::nullopt;
      shape[offset + i] = (*own)[i];
    }
  }
  return count_of(shape) <= kMostKnown ? std::optional(shape) : std::nullopt;
}

Result elementwise(const Known& a, const Known& b, DType dtype,
                   const std::function<std::optional<Dim>(Dim, Dim)>& combine) {
  const auto shape = broadcast_shape(a.shape, b.shape);
  if (!shape) return std::nullopt;
  Known result{dtype, *shape, {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count_of(*shape)); ++i) {
    const auto value = combine(a.values[broadcast_position(i, *shape, a.shape)],
                               b.values[broadcast_position(i, *shape, b.shape)]);
    if (!value) return std::nullopt;
    result.values.push_back(*value);
  }
  return result;
}

/// A multiple of the batch size is taken to differ from every plain number.
std::optional<Dim> is_equal(Dim a, Dim b) { return Dim{a == b ? 1 : 0, false}; }

Result binary(OnnxNode& node) {
  const Known a = *node.known(0);
  const Known b = *node.known(1);
  const std::string& op = node.op();
  if (op == "Add") return elementwise(a, b, a.dtype, sum);
  if (op == "Sub") return elementwise(a, b, a.dtype, difference);
  if (op == "Mul") return elementwise(a, b, a.dtype, product);
  if (op == "Div") return elementwise(a, b, a.dtype, quotient);
  return elementwise(a, b, DType::boolean, is_equal);
}

Result where(OnnxNode& node) {
  const Known condition = *node.known(0);
  const Known a = *node.known(1);
  const Known b = *node.known(2);
  auto shape = broadcast_shape(a.shape, b.shape);
  if (shape) shape = broadcast_shape(*shape, condition.shape);
  if (!shape) return std::nullopt;
  Known result{a.dtype, *shape, {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count_of(*shape)); ++i) {
    const Known& chosen = condition.values[broadcast_position(i, *shape, condition.shape)].count != 0 ? a : b;
    result.values.push_back(chosen.values[broadcast_position(i, *shape, chosen.shape)]);
  }
  return result;
}

Result shape_of(OnnxNode& node) {
  const Shape shape = node.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const auto bound = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t start = bound(node.integer("start", 0));
  const std::int64_t end = std::max(start, bound(node.integer("end", rank)));
  return known_from(Shape(shape.begin() + start, shape.begin() + end));
}

Result size_of(OnnxNode& node) { return Known{DType::s64, {}, {element_count(node.shape(0))}}; }

Result cast(OnnxNode& node) {
  Known result = *node.known(0);
  const DType to = read_dtype(node.integer("to", 0));
  if (to != DType::s64 && to != DType::s32 && to != DType::boolean) return std::nullopt;
  for (Dim& value : result.values) {
    if (to == DType::boolean) value = {value.count != 0 ? 1 : 0, false};
    if (to == DType::s32 && value.count != static_cast<std::int32_t>(value.count)) return std::nullopt;
  }
  result.dtype = to;
  return result;
}

Result negate(OnnxNode& node) {
  return elementwise(Known{DType::s64, {}, {{0, false}}}, *node.known(0), node.known(0)->dtype, difference);
}

Result identity(OnnxNode& node) { return node.known(0); }

Result gather(OnnxNode& node) {
  const Known data = *node.known(0);
  const Known indices = *node.known(1);
  if (data.rank() != 1 || OnnxNode::axis(node.integer("axis", 0), 1) != 0) return std::nullopt;
  Known result{data.dtype, indices.shape, {}};
  for (Dim index : indices.values) {
    const auto extent = static_cast<std::int64_t>(data.values.size());
    const std::int64_t at = index.count < 0 ? index.count + extent : index.count;
    if (index.per_image || at < 0 || at >= extent) {
      fail(ErrorCode::invalid_model, "index {} of a tensor with {} elements", dim_text(index), extent);
    }
    result.values.push_back(data.values[static_cast<std::size_t>(at)]);
  }
  return result;
}

Result concat(OnnxNode& node) {
  Known result{node.known(0)->dtype, {0}, {}};
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Known part = *node.known(i);
    if (part.rank() != 1) return std::nullopt;
    result.values.insert(result.values.end(), part.values.begin(), part.values.end());
    if (result.values.size() > kMostKnown) return std::nullopt;
  }
  static_cast<void>(OnnxNode::axis(node.integer("axis", 0), 1));
  result.shape = {static_cast<std::int64_t>(result.values.size())};
  return result;
}

/// The elements of a tensor that slices of each extent select.
Result slice(OnnxNode& node) {
  const Known data = *node.known(0);
  const SliceBounds bounds = read_slice(node, fixed_shape(data.shape));
  Ints shape;
  for (std::size_t i = 0; i < data.rank(); ++i) shape.push_back(bounds.count(i));
  Known result{data.dtype, shape, {}};
  for (std::int64_t i = 0; i < count_of(shape); ++i) {
    std::int64_t rest = i;
    std::int64_t position = 0;
    std::int64_t stride = 1;
    for (std::size_t d = shape.size(); d-- > 0;) {
      position += (bounds.begin[d] + rest % shape[d] * bounds.step[d]) * stride;
      rest /= shape[d];
      stride *= data.shape[d];
    }
    result.values.push_back(data.values[static_cast<std::size_t>(position)]);
  }
  return result;
}

Result transpose(OnnxNode& node) {
  const Known data = *node.known(0);
  if (data.rank() != 2) return data.rank() < 2 ? Result(data) : std::nullopt;
  const Ints perm = node.integers("perm", {1, 0});
  if (perm == Ints{0, 1}) return data;
  if (perm != Ints{1, 0}) fail(ErrorCode::invalid_model, "'perm' {} of a matrix", shape_text(perm));
  Known result{data.dtype, {data.shape[1], data.shape[0]}, {}};
  for (std::int64_t column = 0; column < data.shape[1]; ++column) {
    for (std::int64_t row = 0; row < data.shape[0]; ++row) {
      result.values.push_back(data.values[static_cast<std::size_t>(row * data.shape[1] + column)]);
    }
  }
  return result;
}

/// Reshape, Squeeze, Unsqueeze, Flatten: other extents, the same elements.
Result reshape(OnnxNode& node) {
  Known result = *node.known(0);
  const Shape shape = read_new_shape(node, fixed_shape(result.shape));
  result.shape = extents_at(shape, 1);
  if (count_of(result.shape) != static_cast<std::int64_t>(result.values.size())) {
    fail(ErrorCode::invalid_model, "cannot reshape {} elements to {}", result.values.size(),
         shape_text(shape));
  }
  return result;
}

Result constant_of_shape(OnnxNode& node) {
  const Ints shape = node.integers(0, "shape");
  if (count_of(shape) > kMostKnown) return std::nullopt;
  const onnx::AttributeProto* value = node.attribute("value");
  if (value == nullptr) return std::nullopt;
  const auto fill = known_from(node.model().read(value->t()));
  if (!fill || fill->values.size() != 1) return std::nullopt;
  return Known{fill->dtype, shape,
               std::vector<Dim>(static_cast<std::size_t>(count_of(shape)), fill->values[0])};
}

Result expand(OnnxNode& node) {
  const Known data = *node.known(0);
  const auto shape = broadcast_shape(data.shape, node.integers(1, "shape"));
  if (!shape) return std::nullopt;
  Known result{data.dtype, *shape, {}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(count_of(*shape)); ++i) {
    result.values.push_back(data.values[broadcast_position(i, *shape, data.shape)]);
  }
  return result;
}

std::int64_t scalar(OnnxNode& node, std::size_t index, std::string_view what) {
  const Ints values = node.integers(index, what);
  if (values.size() != 1)
    fail(ErrorCode::invalid_model, "'{}' has {} elements, expected 1", what, values.size());
  return values[0];
}

Result range(OnnxNode& node) {
  const std::int64_t start = scalar(node, 0, "start");
  const std::int64_t limit = scalar(node, 1, "limit");
  const std::int64_t step = scalar(node, 2, "delta");
  Known result{node.known(0)->dtype, {}, {}};
  std::int64_t at = start;
  while (step != 0 && (step > 0 ? at < limit : at > limit)) {
    if (result.values.size() >= kMostKnown) return std::nullopt;
    result.values.push_back({at, false});
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  result.shape = {static_cast<std::int64_t>(result.values.size())};
  return result;
}

Result reduce_product(OnnxNode& node) {
  const Known data = *node.known(0);
  if (data.rank() != 1) return std::nullopt;
  Dim result{1, false};
  for (Dim value : data.values) {
    const auto next = product(result, value);
    if (!next) return std::nullopt;
    result = *next;
  }
  const bool keep = node.integer("keepdims", 1) != 0;
  return Known{data.dtype, keep ? Ints{1} : Ints{}, {result}};
}

struct Evaluator {
  std::string_view op;
  std::size_t least_inputs;
  Result (*compute)(OnnxNode&);
};

constexpr std::array<Evaluator, 23> kEvaluators{{{"Shape", 1, shape_of},
                                                 {"Size", 1, size_of},
                                                 {"Add", 2, binary},
                                                 {"Sub", 2, binary},
                                                 {"Mul", 2, binary},
                                                 {"Div", 2, binary},
                                                 {"Equal", 2, binary},
                                                 {"Where", 3, where},
                                                 {"Neg", 1, negate},
                                                 {"Cast", 1, cast},
                                                 {"Identity", 1, identity},
                                                 {"Gather", 2, gather},
                                                 {"Concat", 1, concat},
                                                 {"Slice", 1, slice},
                                                 {"Transpose", 1, transpose},
                                                 {"Reshape", 1, reshape},
                                                 {"Squeeze", 1, reshape},
                                                 {"Unsqueeze", 1, reshape},
                                                 {"Flatten", 1, reshape},
                                                 {"ConstantOfShape", 1, constant_of_shape},
                                                 {"Expand", 2, expand},
                                                 {"Range", 3, range},
                                                 {"ReduceProd", 1, reduce_product}}};

const Evaluator* find(std::string_view op) noexcept {
  const auto* found =
      std::find_if(kEvaluators.begin(), kEvaluators.end(), [op](const Evaluator& e) { return e.op == op; });
  return found == kEvaluators.end() ? nullptr : found;
}

bool knows_inputs(OnnxNode& node) {
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    if (node.has(i) && !node.known(i)) return false;
  }
  return true;
}

}  // namespace

bool is_evaluated(std::string_view op) noexcept { return find(op) != nullptr; }

bool evaluate(OnnxNode& node) {
  const Evaluator& evaluator = *find(node.op());
  for (std::size_t i = 0; i < evaluator.least_inputs; ++i) {
    if (!node.has(i)) return false;
  }
  const bool reads_shape_only = node.op() == "Shape" || node.op() == "Size";
  if (!reads_shape_only && !knows_inputs(node)) return false;
  Result result = evaluator.compute(node);
  if (!result) return false;
  node.give(std::move(*result));
  return true;
}

}  // namespace octavo::onnx_import
