#include <algorithm>
#include <chrono>

#include "base/fail.h"
#include "compiler/passes/passes.h"
#include "compiler/passes/qdq_to_quantized.h"

namespace octavo {
namespace {

constexpr PassDef kPasses[] = {
    {"fold_constants", fold_constants, true},
    {"fold_batchnorm", fold_batchnorm, true},
    {"decompose_batchnorm", decompose_batchnorm, false},
    {"unsigned_activations", unsigned_activations, true},
    {"qdq_to_quantized", qdq_to_quantized, false},
    {"fold_pad", fold_pad, true},
    {"fuse_activation", fuse_activation, true},
    {"fuse_residual_add", fuse_residual_add, true},
    {"order_nodes", order_nodes, true},
};

void check_disabled(std::span<const PassDef> passes, const PassOptions& options) {
  for (const std::string& name : options.disabled) {
    const auto found =
        std::find_if(passes.begin(), passes.end(), [&](const PassDef& p) { return p.name == name; });
    if (found == passes.end()) fail(ErrorCode::invalid_argument, "there is no pass '{}'", name);
    if (!found->is_optional) fail(ErrorCode::invalid_argument, "pass '{}' cannot be left out", name);
  }
}

}  // namespace

std::span<const PassDef> all_passes() { return kPasses; }

void run_passes(Graph& graph, std::span<const PassDef> passes, const PassOptions& options) {
  check_disabled(passes, options);
  verify(graph);
  if (options.after) options.after("import", graph, 0.0);
  for (const PassDef& pass : passes) {
    if (options.disabled.contains(pass.name)) continue;
    const auto start = std::chrono::steady_clock::now();
    bool changed = pass.run(graph);
    changed = graph.remove_dead() || changed;
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (!changed) continue;
    try {
      verify(graph);
    } catch (const Error& e) {
      throw e.within(fmt::format("after pass {}", pass.name));
    }
    if (options.after) options.after(pass.name, graph, time.count());
  }
}

}  // namespace octavo
