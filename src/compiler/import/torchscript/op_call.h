#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "compiler/import/torchscript/graph_builder.h"
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// What the lowering of one operator sees: its arguments in the order of its row's parameters (None for those
/// not given), and where to put nodes. Getters throw Error(invalid_model) naming the parameter when the
/// argument does not fit.
class OpCall {
 public:
  OpCall(GraphBuilder& builder, Heap& heap, std::vector<Value> arguments, std::string_view parameters)
      : builder_(builder), heap_(heap), arguments_(std::move(arguments)), parameters_(parameters) {}

  [[nodiscard]] const Value& argument(std::size_t i) const { return arguments_.at(i); }
  [[nodiscard]] bool has(std::size_t i) const { return !is_none(arguments_.at(i)); }
  /// "argument 'dim'"
  [[nodiscard]] std::string what(std::size_t i) const;

  [[nodiscard]] bool is_tensor(std::size_t i) const;
  /// A computed tensor, or one of the file as a constant.
  GraphTensor tensor(std::size_t i, std::string_view role = "constant");
  GraphTensor tensor_of(const Value& value, std::string_view what, std::string_view role = "constant");
  std::vector<GraphTensor> tensors(std::size_t i);
  /// A plain number: an integer, a float, or a tensor of the file with one element.
  double real(std::size_t i);
  double real_or(std::size_t i, double fallback) { return has(i) ? real(i) : fallback; }
  std::int64_t integer(std::size_t i);
  std::int64_t integer_or(std::size_t i, std::int64_t fallback) { return has(i) ? integer(i) : fallback; }
  bool truth_or(std::size_t i, bool fallback);
  std::vector<std::int64_t> integers(std::size_t i);
  /// Two integers, from a list of two or a single one for both.
  std::vector<std::int64_t> pair(std::size_t i);
  std::vector<std::int64_t> pair_or(std::size_t i, std::int64_t fallback);

  GraphBuilder& builder() noexcept { return builder_; }
  Heap& heap() noexcept { return heap_; }

 private:
  GraphBuilder& builder_;
  Heap& heap_;
  std::vector<Value> arguments_;
  std::string_view parameters_;
};

/// An axis counted from the back when negative; Error(invalid_model) when out of range.
std::size_t checked_axis(std::int64_t axis, std::size_t rank);
/// f32 → stored integer as PyTorch does it: clamp(rint(value * f32(1 / scale)) + zero point).
double quantized_bound(double value, const TensorType& type);

}  // namespace octavo::torchscript
