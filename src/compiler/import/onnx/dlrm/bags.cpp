#include "compiler/import/onnx/dlrm/bags.h"

#include <algorithm>
#include <array>

#include "base/fail.h"
#include "compiler/import/onnx/model_import.h"

namespace octavo::onnx_import {
namespace {

/// A table and the row numbers that are looked up in it.
struct LookUp {
  std::string table;
  std::string rows;
};

[[noreturn]] void complain(const onnx::NodeProto& node, std::string_view what) {
  fail(ErrorCode::unsupported, "{}: {}", node_text(node), what);
}

bool is_table(const GraphIndex& index, const std::string& value) {
  const onnx::TensorProto* tensor = index.constant(value);
  return tensor != nullptr && tensor->dims_size() == 2 && tensor->data_type() == onnx::TensorProto::FLOAT;
}

std::string text_attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return attribute.s();
  }
  return {};
}

/// The mode of PyTorch's embedding_bag (0 sum, 1 mean, 2 max): an attribute, or input 4.
std::int64_t bag_mode(const GraphIndex& index, const onnx::NodeProto& node) {
  constexpr int kModeInput = 4;
  if (node.input_size() > kModeInput) {
    const auto mode = index.integers(node.input(kModeInput));
    if (mode && mode->size() == 1) return mode->front();
  }
  return integer_attribute(node, "mode", 0);
}

LookUp aten_bag(const GraphIndex& index, const onnx::NodeProto& node) {
  if (text_attribute(node, "operator") != "embedding_bag")
    complain(node, "an ATen operator other than embedding_bag");
  if (bag_mode(index, node) != 0) complain(node, "bags are pooled by another function than the sum");
  if (node.input_size() < 2 || !is_table(index, node.input(0)))
    complain(node, "its table is no constant of floats");
  constexpr int kWeightsInput = 6;
  if (node.input_size() > kWeightsInput && !node.input(kWeightsInput).empty()) {
    complain(node, "rows of a bag have weights");
  }
  return {node.input(0), node.input(1)};
}

const onnx::GraphProto* loop_body(const onnx::NodeProto& node) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "body" && attribute.has_g()) return &attribute.g();
  }
  return nullptr;
}

/// What the bodies of exported bags consist of; anything else may compute something else.
bool is_known_in_loop(const std::string& op) {
  constexpr std::array<std::string_view, 9> kKnown{"Gather", "Slice",    "Unsqueeze", "Squeeze", "ReduceSum",
                                                   "Cast",   "Constant", "Identity",  "Reshape"};
  return std::find(kKnown.begin(), kKnown.end(), op) != kKnown.end();
}

/// The loop runs over the bags: its body slices the row numbers, gathers the rows, and sums them.
LookUp loop_bag(const GraphIndex& index, const onnx::NodeProto& node) {
  const onnx::GraphProto* body = loop_body(node);
  if (body == nullptr) complain(node, "has no body");
  const onnx::NodeProto* gather = nullptr;
  const onnx::NodeProto* slice = nullptr;
  bool has_sum = false;
  for (const auto& inner : body->node()) {
    if (!is_known_in_loop(inner.op_type())) {
      complain(node, fmt::format("its body has {}, which no bag of rows needs", node_text(inner)));
    }
    if (inner.op_type() == "Gather" && inner.input_size() == 2 && is_table(index, inner.input(0))) {
      if (gather != nullptr) complain(node, "its body gathers from two tables");
      gather = &inner;
    }
    if (inner.op_type() == "Slice") slice = &inner;
    has_sum = has_sum || inner.op_type() == "ReduceSum";
  }
  if (gather == nullptr || slice == nullptr || slice->input_size() < 1 || !has_sum) {
    complain(node, "its body does not slice row numbers, gather rows of a constant table, and sum them");
  }
  return {gather->input(0), slice->input(0)};
}

LookUp gathered(const GraphIndex& index, const onnx::NodeProto& node) {
  if (node.input_size() != 2 || !is_table(index, node.input(0)) || integer_attribute(node, "axis", 0) != 0) {
    complain(node, "gathers no rows of a constant table of floats");
  }
  return {node.input(0), node.input(1)};
}

LookUp look_up(const GraphIndex& index, const std::string& pooled, std::size_t t) {
  const onnx::NodeProto* node = index.producer(index.origin(pooled));
  if (node != nullptr && node->op_type() == "ReduceSum" && node->input_size() > 0) {
    node = index.producer(index.origin(node->input(0)));
  }
  if (node == nullptr)
    fail(ErrorCode::unsupported, "value '{:.200}', e{} of the interaction, is not looked up", pooled, t);
  if (node->op_type() == "ATen") return aten_bag(index, *node);
  if (node->op_type() == "Loop") return loop_bag(index, *node);
  if (node->op_type() == "Gather") return gathered(index, *node);
  complain(*node, fmt::format("e{} of the interaction is no look-up in a table", t));
}

/// Which feature of the model's row numbers `rows` is: the k that a Gather, Slice or Split of an input takes.
/// Nothing for an input of its own.
std::optional<std::int64_t> feature_of(const GraphIndex& index, const std::string& rows) {
  const std::string origin = index.origin(rows);
  const onnx::NodeProto* node = index.producer(origin);
  if (node == nullptr) return std::nullopt;
  const bool picks = (node->op_type() == "Gather" || node->op_type() == "Slice") && node->input_size() >= 2;
  if (picks) {
    const auto place = index.integers(node->input(1));
    if (place && place->size() == 1) return place->front();
  }
  if (node->op_type() == "Split")
    return std::find(node->output().begin(), node->output().end(), origin) - node->output().begin();
  complain(*node, "is no plain selection of one feature of the row numbers");
}

}  // namespace

std::vector<std::string> tables_of_bags(const GraphIndex& index, const std::vector<std::string>& pooled) {
  std::vector<std::string> tables;
  for (std::size_t t = 0; t < pooled.size(); ++t) {
    const LookUp found = look_up(index, pooled[t], t);
    const auto feature = feature_of(index, found.rows);
    if (feature && *feature != static_cast<std::int64_t>(t)) {
      fail(ErrorCode::unsupported, "table '{}' stands at place {} of the interaction but reads feature {}",
           found.table, t, *feature);
    }
    tables.push_back(found.table);
  }
  return tables;
}

}  // namespace octavo::onnx_import
