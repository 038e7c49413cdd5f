#pragma once
#include <string>
#include <vector>

#include "compiler/import/onnx/dlrm/graph_index.h"
#include "package/dlrm_model.h"

namespace octavo::onnx_import {

/// A fully connected layer of the graph: the initializers that hold it.
struct LayerPlace {
  std::string weights;
  std::string bias;
  bool is_inputs_first = false;  ///< the weights lie as [inputs, outputs]
};

/// Where a DLRM's parts lie in an ONNX graph.
struct DlrmPattern {
  std::vector<LayerPlace> bottom;
  std::vector<std::string> tables;
  Interaction interaction = Interaction::dot;
  std::vector<LayerPlace> top;
};

/// Reads the graph from its output to its inputs as
///   Sigmoid, layers with Relu between, Concat of x and the products T·Tᵀ below the diagonal (or of x and all
///   embeddings), x from layers with Relu behind each, embeddings from bags (bags.h).
/// Error(unsupported) naming the node that is something else.
DlrmPattern find_dlrm(const GraphIndex& index);

}  // namespace octavo::onnx_import
