#include "compiler/graph/evaluate.h"

#include "compiler/lower/lower.h"
#include "package/package.h"

namespace octavo {

Tensor evaluate(const Graph& graph) {
  auto [plan, weights] = lower(graph);
  Session session(make_package(std::move(plan), std::move(weights), {}));
  session.run();
  return Tensor(session.output());
}

}  // namespace octavo
