#pragma once
#include "compiler/graph/graph.h"

namespace octavo {

/// The first output of a graph that has no inputs, computed with the kernels of this machine. Declared here
/// for the passes; the body stands in lower/, since computing takes a plan.
Tensor evaluate(const Graph& graph);

}  // namespace octavo
