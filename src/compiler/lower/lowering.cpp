#include "compiler/lower/lowering.h"

#include <cstring>

#include "base/assert.h"
#include "base/fail.h"
#include "compiler/graph/op.h"
#include "engine/kernels/copy/problem.h"

namespace octavo {
namespace {

/// Whether both layouts of a shape are the same bytes: one channel, or one pixel.
bool layouts_agree(const Shape& shape) {
  return shape.size() != 4 || shape[1] == Dim{1, false} ||
         (shape[2] == Dim{1, false} && shape[3] == Dim{1, false});
}

template <class T>
void reorder(const std::byte* src, std::byte* dst, const Shape& shape) {
  const auto* from = reinterpret_cast<const T*>(src);
  auto* to = reinterpret_cast<T*>(dst);
  const std::int64_t channels = shape[1].count;
  const std::int64_t pixels = shape[2].count * shape[3].count;
  for (std::int64_t n = 0; n < shape[0].count; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t p = 0; p < pixels; ++p) {
        to[(n * pixels + p) * channels + c] = from[(n * channels + c) * pixels + p];
      }
    }
  }
}

/// A constant image tensor with its channels last in memory, under its logical shape.
Tensor channels_last(const Tensor& plain, const Shape& shape) {
  Tensor result(plain.dtype(), plain.shape());
  switch (dtype_bytes(plain.dtype())) {
    case 1:
      reorder<std::uint8_t>(plain.data(), result.data(), shape);
      break;
    case 2:
      reorder<std::uint16_t>(plain.data(), result.data(), shape);
      break;
    case 4:
      reorder<std::uint32_t>(plain.data(), result.data(), shape);
      break;
    default:
      reorder<std::uint64_t>(plain.data(), result.data(), shape);
      break;
  }
  return result;
}

CopyProblem layout_change(const PlanTensor& from, Layout layout) {
  const std::vector<std::int64_t> strides = strides_of(from.shape, from.layout);
  CopyProblem problem;
  problem.bytes = dtype_bytes(from.dtype);
  for (std::size_t d : memory_order(from.shape.size(), layout)) {
    problem.dims.push_back(from.shape[d].count);
    problem.x_strides.push_back(strides[d]);
    problem.begin.push_back(0);
    problem.count.push_back(from.shape[d].count);
  }
  problem.x_batch_stride = is_per_image(from.shape) ? unit_count(from.shape) : 0;
  return problem;
}

}  // namespace

std::vector<std::size_t> memory_order(std::size_t rank, Layout layout) {
  if (layout == Layout::channels_last) return {0, 2, 3, 1};
  std::vector<std::size_t> order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = i;
  return order;
}

std::vector<std::int64_t> strides_of(const Shape& shape, Layout layout) {
  std::vector<std::int64_t> strides(shape.size());
  const std::vector<std::size_t> order = memory_order(shape.size(), layout);
  std::int64_t stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= shape[order[i]].count;
  }
  return strides;
}

std::int64_t unit_count(const Shape& shape) { return element_count(shape).count; }

std::int32_t Lowering::add_tensor(PlanTensor t, std::int32_t buffer) {
  for (std::size_t i = 1; i < t.shape.size(); ++i) {
    if (t.shape[i].per_image) {
      fail(ErrorCode::unsupported, "shape {}: the batch must stay the first extent", shape_text(t.shape));
    }
  }
  tensors_.push_back(std::move(t));
  buffers_.push_back(buffer);
  return static_cast<std::int32_t>(tensors_.size() - 1);
}

std::int32_t Lowering::temporary(std::string name, TensorType type, Layout layout) {
  return add_tensor({std::move(name), type.dtype, std::move(type.shape), layout, std::move(type.quantization),
                     Storage::arena, 0},
                    buffer_count_++);
}

std::int32_t Lowering::result(const Node& node, Layout layout) {
  const Value& value = graph_.value(node.output);
  const std::int32_t index = temporary(value.name, value.type, layout);
  made_[{node.output, layout}] = index;
  made_in_[node.output] = layout;
  return index;
}

void Lowering::alias(const Node& node, std::int32_t from) {
  const Value& value = graph_.value(node.output);
  PlanTensor view = tensor(from);
  view.name = value.name;
  view.shape = value.type.shape;
  view.quantization = value.type.quantization;
  view.layout = Layout::plain;
  made_[{node.output, Layout::plain}] = add_tensor(std::move(view), buffers_[static_cast<std::size_t>(from)]);
  made_in_[node.output] = Layout::plain;
}

Layout Lowering::layout_of(ValueId id) const {
  const auto found = made_in_.find(id);
  return found == made_in_.end() ? Layout::plain : found->second;
}

bool Lowering::prefers_channels_last(ValueId id) const {
  if (graph_.type(id).shape.size() != 4) return false;
  for (const Node& node : graph_.nodes()) {
    const bool is_image_op =
        node.op->name.starts_with("conv2d") || node.op->name.find("pool2d") != std::string_view::npos;
    if (is_image_op && node.input(0) == id) return true;
  }
  return false;
}

std::int32_t Lowering::operand(ValueId id) { return operand(id, layout_of(id)); }

std::int32_t Lowering::operand(ValueId id, Layout layout) {
  const auto found = made_.find({id, layout});
  if (found != made_.end()) return found->second;
  std::int32_t index = 0;
  if (graph_.value(id).constant) {
    index = constant(id, layout);
  } else {
    const Layout other = layout == Layout::plain ? Layout::channels_last : Layout::plain;
    index = converted(id, made_.at({id, other}), layout);
  }
  made_[{id, layout}] = index;
  return index;
}

std::int32_t Lowering::constant(ValueId id, Layout layout) {
  const Value& value = graph_.value(id);
  const bool moves = layout == Layout::channels_last && !layouts_agree(value.type.shape);
  Tensor data = moves ? channels_last(*value.constant, value.type.shape) : Tensor(*value.constant);
  const auto weights_index = static_cast<std::int64_t>(weights_.size());
  const std::string stem = value.name.size() > 64 ? value.name.substr(0, 64) : value.name;
  weights_.push_back({fmt::format("weights/{:04}_{}", weights_index, stem), data.dtype(), data.shape()});
  weights_data_.push_back(std::move(data));
  return add_tensor({value.name, value.type.dtype, value.type.shape, layout, value.type.quantization,
                     Storage::weights, weights_index},
                    -1);
}

std::int32_t Lowering::converted(ValueId id, std::int32_t from, Layout layout) {
  PlanTensor view = tensor(from);
  if (layouts_agree(view.shape)) {
    view.layout = layout;
    return add_tensor(std::move(view), buffers_[static_cast<std::size_t>(from)]);
  }
  const Value& value = graph_.value(id);
  const CopyProblem problem = layout_change(view, layout);
  const std::int32_t to = temporary(value.name, value.type, layout);
  push_step(problem_text_of(problem), {from}, to, "");
  return to;
}

Step& Lowering::push_step(std::string problem, std::vector<std::int32_t> inputs, std::int32_t output,
                          std::string origin) {
  steps_.push_back({std::move(problem), "", std::move(inputs), output, {}, std::move(origin)});
  return steps_.back();
}

void Lowering::begin() {
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const ValueId id = graph_.inputs[i];
    const Value& value = graph_.value(id);
    const std::int32_t index =
        add_tensor({value.name, value.type.dtype, value.type.shape, Layout::plain, value.type.quantization,
                    Storage::input, static_cast<std::int64_t>(i)},
                   -1);
    made_[{id, Layout::plain}] = index;
    made_in_[id] = Layout::plain;
    inputs_.push_back({value.name, index});
  }
}

void Lowering::finish() {
  for (std::size_t i = 0; i < graph_.outputs.size(); ++i) finish_output(i);
}

/// The caller's memory is written directly when the result has an arena buffer that no other output shows;
/// otherwise (an input, a constant or a shared buffer is returned) it gets a copy.
void Lowering::finish_output(std::size_t index) {
  const GraphOutput& out = graph_.outputs[index];
  const std::int32_t from = operand(out.value, Layout::plain);
  const auto at = static_cast<std::size_t>(from);
  const std::int32_t buffer = buffers_[at];
  const auto storage_index = static_cast<std::int64_t>(index);
  if (tensors_[at].storage == Storage::arena) {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      if (buffers_[i] != buffer) continue;
      tensors_[i].storage = Storage::output;
      tensors_[i].offset = storage_index;
    }
    outputs_.push_back({out.name, from});
    return;
  }
  PlanTensor copy = tensors_[at];
  copy.storage = Storage::output;
  copy.offset = storage_index;
  const CopyProblem problem = layout_change(copy, Layout::plain);
  const std::int32_t to = add_tensor(std::move(copy), -1);
  push_step(problem_text_of(problem), {from}, to, "");
  outputs_.push_back({out.name, to});
}

std::pair<Plan, std::vector<Tensor>> Lowering::take() {
  Plan plan{graph_.name,
            std::move(tensors_),
            std::move(steps_),
            std::move(inputs_),
            std::move(outputs_),
            std::move(weights_),
            0,
            0,
            whole_batch_};
  merge_copies(plan, buffers_);
  assign_memory(plan, buffers_, buffer_count_);
  check(plan);
  return {std::move(plan), std::move(weights_data_)};
}

}  // namespace octavo
