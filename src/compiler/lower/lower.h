#pragma once
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"
#include "package/plan.h"

namespace octavo {

/// Orders the steps, fixes every size, places all memory. The second part holds the constants, by
/// Plan::weights index. Error(unsupported) naming a node that no kernel family can express.
std::pair<Plan, std::vector<Tensor>> lower(const Graph& graph);

}  // namespace octavo
