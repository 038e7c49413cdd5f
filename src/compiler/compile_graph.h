#pragma once
#include "compiler/graph/graph.h"
#include "octavo/compile.h"
#include "package/package.h"

namespace octavo {

/// The second half of `compile`: from an imported graph to the package.
Package compile_graph(Graph graph, const CompileOptions& options, const Provenance& provenance);

}  // namespace octavo
