#pragma once
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "engine/kernels/problem_text.h"
#include "package/plan.h"

namespace octavo {

/// A Graph on its way to a Plan: which plan tensor stands for which value, in which layout. The lowering
/// functions of the operators, one per family, read their operands through it and add steps to it.
class Lowering {
 public:
  explicit Lowering(const Graph& graph) : graph_(graph) {}

  [[nodiscard]] const Graph& graph() const noexcept { return graph_; }
  [[nodiscard]] const PlanTensor& tensor(std::int32_t index) const {
    return tensors_[static_cast<std::size_t>(index)];
  }

  /// The plan tensor that holds `id` in `layout`; adds the step that changes the layout when it is only there
  /// in the other.
  std::int32_t operand(ValueId id, Layout layout);
  /// The plan tensor that holds `id` in the layout in which it was made (constants: plain).
  std::int32_t operand(ValueId id);
  /// The layout in which `id` was made.
  [[nodiscard]] Layout layout_of(ValueId id) const;
  /// Whether some reader of `id` wants its images channels last.
  [[nodiscard]] bool prefers_channels_last(ValueId id) const;

  /// A new arena tensor for the node's result.
  std::int32_t result(const Node& node, Layout layout);
  /// A new arena tensor that belongs to no value.
  std::int32_t temporary(std::string name, TensorType type, Layout layout);
  /// Declares the node's result to be the bytes of `tensor` under the result's own shape.
  void alias(const Node& node, std::int32_t tensor);

  /// Adds a step. The Problem is checked.
  template <class Problem>
  Step& add_step(const Node& node, const Problem& problem, std::vector<std::int32_t>&& inputs,
                 std::int32_t output) {
    problem.check();
    return push_step(problem_text_of(problem), std::move(inputs), output, node.origin);
  }

  /// Declares the inputs before, and the outputs after the nodes are lowered.
  void begin();
  void finish();
  /// The plan, with memory assigned, and the weights' data by Plan::weights index.
  std::pair<Plan, std::vector<Tensor>> take();

  /// Set by operators whose results depend on the whole batch.
  void needs_whole_batch() noexcept { whole_batch_ = true; }

 private:
  Step& push_step(std::string problem, std::vector<std::int32_t> inputs, std::int32_t output,
                  std::string origin);
  std::int32_t add_tensor(PlanTensor tensor, std::int32_t buffer);
  std::int32_t constant(ValueId id, Layout layout);
  std::int32_t converted(ValueId id, std::int32_t from, Layout layout);
  void finish_output(std::size_t index);

  const Graph& graph_;
  std::vector<PlanTensor> tensors_;
  std::vector<std::int32_t>
      buffers_;  ///< by tensor: which bytes it shows; tensors with the same buffer share memory
  std::int32_t buffer_count_ = 0;
  std::vector<Step> steps_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  std::vector<WeightsMember> weights_;
  std::vector<Tensor> weights_data_;
  std::map<std::pair<ValueId, Layout>, std::int32_t> made_;
  std::map<ValueId, Layout> made_in_;
  bool whole_batch_ = false;
};

/// Where the extents of a tensor lie in memory: element strides of its logical extents at a batch of 1.
std::vector<std::int64_t> strides_of(const Shape& shape, Layout layout);
/// The logical extents in the order in which they lie in memory.
std::vector<std::size_t> memory_order(std::size_t rank, Layout layout);
/// Product of extents at a batch of 1.
std::int64_t unit_count(const Shape& shape);

/// Has a copy of a copy read what the first one reads, where one copy can do both, and drops copies that
/// nobody reads then. `buffers[i]` is the buffer that plan.tensors[i] shows.
void merge_copies(Plan& plan, std::span<const std::int32_t> buffers);

/// Gives every arena buffer its offset: buffers whose lives overlap get disjoint bytes, others share.
/// `buffers[i]` is the buffer that plan.tensors[i] shows.
void assign_memory(Plan& plan, std::span<const std::int32_t> buffers, std::int32_t buffer_count);

/// How each operator becomes steps; one function per operator family, chosen by name in lower.cpp.
namespace lowering {
void conv2d(Lowering& to, const Node& node);
void linear(Lowering& to, const Node& node);
void matmul(Lowering& to, const Node& node);
void pool(Lowering& to, const Node& node);
void adaptive_pool(Lowering& to, const Node& node);
void binary(Lowering& to, const Node& node);
void unary(Lowering& to, const Node& node);
void convert(Lowering& to, const Node& node);
void dynamic_quantize(Lowering& to, const Node& node);
void reshape(Lowering& to, const Node& node);
void transpose(Lowering& to, const Node& node);
void slice(Lowering& to, const Node& node);
void pad(Lowering& to, const Node& node);
void expand(Lowering& to, const Node& node);
void cat(Lowering& to, const Node& node);
void gather(Lowering& to, const Node& node);
void reduce(Lowering& to, const Node& node);
void softmax(Lowering& to, const Node& node);
}  // namespace lowering

}  // namespace octavo
