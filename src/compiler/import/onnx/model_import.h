#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/import/onnx/external_files.h"
#include "compiler/import/onnx/import.h"
#include "compiler/import/onnx/known.h"

namespace octavo::onnx_import {

/// What a name of the ONNX graph stands for. It enters the Graph when a node first reads it as data.
struct Operand {
  std::string name;
  ValueId id = kNoValue;                     ///< in the Graph, once there
  const onnx::TensorProto* proto = nullptr;  ///< an initializer that was not read yet
  std::optional<Known> known;                ///< the result of shape arithmetic
  bool is_lost = false;                      ///< a node that Octavo cannot import would compute it
  /// Constants of the Graph with the same integers, each meaning something else.
  std::vector<std::pair<Quantization, ValueId>> quantized;
};

/// One model on its way into a Graph: the Graph so far, what each name stands for, and what could not be
/// imported.
class ModelImport {
 public:
  ModelImport(const onnx::ModelProto& model, std::size_t model_bytes, const std::filesystem::path& folder,
              const OnnxOptions& options);

  /// Imports everything. Errors as `import_onnx`, without the file's name.
  Graph run();

  Graph graph;

  /// The operand of that name; Error(invalid_model) when nothing defines it before here.
  Operand& operand(const std::string& name);
  /// Its value in the Graph, put there if need be.
  ValueId value(Operand& operand);
  /// Its elements, when they are integers that the importer knows.
  std::optional<Known> known(Operand& operand);
  /// `name` is `operand` from here on; Error(invalid_model) when it is something already.
  void define(const std::string& name, Operand operand);
  /// `name` is another name of `original`.
  void define_alias(const std::string& name, const std::string& original);
  /// Adds a constant; Error(invalid_model) when all constants together take more memory than the file
  /// justifies, as they can when a hostile file refers to one initializer from many places.
  ValueId add_constant(std::string_view name, Tensor data,
                       std::optional<Quantization> quantization = std::nullopt);
  /// The data of a `TensorProto` of a node's attribute.
  Tensor read(const onnx::TensorProto& proto);

  /// Version of the operator set that the model uses for `domain`.
  [[nodiscard]] std::int64_t opset(const std::string& domain) const;
  /// Whether a node or an output of the graph reads `name`.
  [[nodiscard]] bool is_read(const std::string& name) const { return read_names_.contains(name); }
  /// The integers behind a `dequantize` of a constant; kNoValue when `id` is nothing like that.
  [[nodiscard]] ValueId dequantized_from(ValueId id) const;
  void remember_dequantized(ValueId real, ValueId integers) { dequantized_.emplace(real, integers); }

 private:
  void read_opsets();
  void define_initializers();
  void define_inputs();
  void import_node(const onnx::NodeProto& node);
  void define_outputs();
  void report_lost() const;

  const onnx::ModelProto& model_;
  const OnnxOptions& options_;
  ExternalFiles files_;
  std::size_t model_bytes_;
  std::size_t constant_bytes_ = 0;
  std::map<std::string, std::int64_t> opsets_;
  std::vector<Operand> operands_;
  std::map<std::string, std::size_t> names_;
  std::set<std::string> read_names_;
  std::map<ValueId, ValueId> dequantized_;
  std::map<std::string, std::vector<std::string>> unknown_operators_;  ///< operator -> its nodes
  std::vector<std::string> problems_;                                  ///< of nodes whose operator is known
};

/// "node 'conv1' (Conv)"; an unnamed node goes by its first output.
std::string node_text(const onnx::NodeProto& node);

}  // namespace octavo::onnx_import
