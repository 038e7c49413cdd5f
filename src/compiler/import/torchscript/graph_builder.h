#pragma once
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/import/torchscript/tensors.h"
#include "compiler/import/torchscript/value.h"

namespace octavo::torchscript {

/// Thrown, and caught by the importer, when the first layer's weights say that the guessed input shape was
/// wrong.
struct WrongInputGuess {
  std::vector<std::int64_t> shape;  ///< the better guess, without the batch
};

/// The Graph under construction, and what only its construction needs: PyTorch's memory layouts, values
/// changed in place, and constants made once per tensor of the file.
class GraphBuilder {
 public:
  explicit GraphBuilder(TensorReader& tensors) : tensors_(tensors) {}

  Graph graph;
  std::string origin;  ///< module path that the next nodes get, or outside of modules the variable's name
  bool is_in_module = false;      ///< `origin` is a module's path
  bool is_input_guessed = false;  ///< until the first layer with weights has confirmed it

  [[nodiscard]] const TensorType& type(GraphTensor tensor) const { return graph.type(tensor.id); }
  [[nodiscard]] const Shape& shape(GraphTensor tensor) const { return graph.type(tensor.id).shape; }

  GraphTensor add_input(std::string_view name, std::vector<std::int64_t> shape_per_image);
  /// Appends a node that reads `inputs` (kNoValue for none). Error(invalid_model) when the graph becomes
  /// absurdly large.
  GraphTensor emit(std::string_view op, std::vector<ValueId> inputs, Attributes attributes, Layout layout);
  /// A tensor of the file as a constant named after the origin: "conv1" + ".weight".
  GraphTensor constant(const StoredTensor& tensor, std::string_view role);
  GraphTensor constant(Tensor data, std::string_view role);
  /// A single f32, shape [].
  GraphTensor scalar(double value);

  /// From now on who reads `old` reads `changed`: an operator with a trailing underscore changed it.
  /// Nothing happens when it left the value as it was.
  void change_in_place(GraphTensor old, GraphTensor changed) {
    if (changed.id > old.id) changed_[old.id] = changed;
  }
  [[nodiscard]] GraphTensor current(GraphTensor tensor) const;

  /// Outside of modules, packed parameters that remember their module's path name what is made of them.
  void name_after_parameters(std::string_view path);
  /// Names the node that was just added after `path` if it still carries the caller's origin: in a trace the
  /// module that did the work of an operator is only seen when its observer is called.
  void claim_last_node(std::string_view path);

  [[nodiscard]] TensorReader& tensors() noexcept { return tensors_; }

 private:
  TensorReader& tensors_;
  std::map<const StoredTensor*, ValueId> constants_;
  std::unordered_map<ValueId, GraphTensor> changed_;
  std::string last_module_;  ///< module whose code the last node stems from
};

/// The attributes of a quantized result: `scale` as in the file.
Attributes quantized_result(double scale, std::int64_t zero_point, DType dtype = DType::u8);

}  // namespace octavo::torchscript
