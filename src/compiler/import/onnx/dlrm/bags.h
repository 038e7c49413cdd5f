#pragma once
#include <string>
#include <vector>

#include "compiler/import/onnx/dlrm/graph_index.h"

namespace octavo::onnx_import {

/// The tables whose sums of rows the values `pooled` are, as names of initializers [rows, dim]. Each value
/// comes from one of
///   an ATen node `embedding_bag` in sum mode,
///   a Loop over the bags, whose body gathers a slice of the row numbers and sums the rows,
///   a Gather of one row a sample, or of several that a ReduceSum adds.
/// Table t must read feature t of the model's row numbers. Error(unsupported) naming the node otherwise.
std::vector<std::string> tables_of_bags(const GraphIndex& index, const std::vector<std::string>& pooled);

}  // namespace octavo::onnx_import
