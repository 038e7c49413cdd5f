#include "octavo/compile.h"

#include <algorithm>
#include <array>

#include "base/cpu.h"
#include "base/fail.h"
#include "base/mapped_file.h"
#include "base/sha256.h"
#include "base/version.h"
#include "compiler/compile_graph.h"
#include "compiler/import/onnx/import.h"
#include "compiler/import/torchscript/import.h"
#include "compiler/lower/lower.h"
#include "compiler/passes/passes.h"
#include "engine/session/choose.h"

namespace octavo {
namespace {

bool is_zip(std::span<const std::byte> bytes) {
  constexpr std::array<std::byte, 4> kMagic{std::byte{'P'}, std::byte{'K'}, std::byte{3}, std::byte{4}};
  return bytes.size() >= kMagic.size() && std::equal(kMagic.begin(), kMagic.end(), bytes.begin());
}

/// TorchScript files are ZIP archives; anything else is taken for the protobuf of an ONNX model.
Graph import_model(const std::filesystem::path& model, const MappedFile& file,
                   const CompileOptions& options) {
  if (!is_zip(file.bytes()) && model.extension() == ".onnx")
    return import_onnx(model, {options.input_shapes});
  if (!is_zip(file.bytes())) {
    fail(ErrorCode::invalid_model, "neither a TorchScript archive nor named .onnx");
  }
  ImportNotes notes;
  Graph graph = import_torchscript(file.bytes(), {options.input_shapes}, &notes);
  if (options.note) {
    for (const std::string& line : notes.lines) options.note(line);
  }
  return graph;
}

/// Every place of the model that has an operator of its own.
std::vector<std::string> all_places(const Graph& graph) {
  std::set<std::string> places;
  for (const Node& node : graph.nodes()) {
    if (!node.origin.empty()) places.insert(node.origin);
  }
  return {places.begin(), places.end()};
}

/// Adds an output for the last node that comes from each of the wanted places.
void add_layer_outputs(Graph& graph, const std::vector<std::string>& wanted) {
  const bool wants_all = wanted == std::vector<std::string>{"*"};
  for (const std::string& place : wants_all ? all_places(graph) : wanted) {
    const auto& nodes = graph.nodes();
    const auto found =
        std::find_if(nodes.rbegin(), nodes.rend(), [&](const Node& node) { return node.origin == place; });
    if (found == nodes.rend()) fail(ErrorCode::invalid_argument, "the model has no layer '{}'", place);
    graph.outputs.push_back({place, found->output});
  }
}

PassOptions pass_options(const CompileOptions& options) {
  PassOptions to_passes{options.disabled_passes, {}};
  if (options.after_pass) {
    to_passes.after = [&options](std::string_view pass, const Graph& graph, double milliseconds) {
      options.after_pass(
          pass, [&graph] { return print(graph); }, milliseconds);
    };
  }
  return to_passes;
}

/// Warns of every step that only the reference kernel can do on this machine although faster rows exist.
void note_slow_steps(const Plan& plan, const CompileOptions& options) {
  if (!options.note) return;
  std::set<std::string> told;
  for (const Step& step : plan.steps) {
    const Choice choice = choose_kernel(step.problem, step.kernel, ForcedKernels(""), usable_isa());
    const bool is_slow = choice.row->name == "reference" && !choice.passed_over.empty();
    if (!is_slow || !told.insert(step.problem).second) continue;
    options.note(fmt::format("step '{}' runs on the reference kernel ({})", step.problem,
                             fmt::join(choice.passed_over, "; ")));
  }
}

}  // namespace

Package compile_graph(Graph graph, const CompileOptions& options, const Provenance& provenance) {
  add_layer_outputs(graph, options.layer_outputs);
  run_passes(graph, all_passes(), pass_options(options));
  auto [plan, weights] = lower(graph);
  note_slow_steps(plan, options);
  return make_package(std::move(plan), std::move(weights), provenance);
}

Package compile(const std::filesystem::path& model, const CompileOptions& options) {
  try {
    const MappedFile file(model);
    Graph graph = import_model(model, file, options);
    if (graph.name.empty()) graph.name = model.stem().string();
    return compile_graph(
        std::move(graph), options,
        {model.filename().string(), sha256_hex(file.bytes()), fmt::format("octavo {}", kVersion)});
  } catch (const Error& e) {
    throw e.within(model.filename().string());
  }
}

}  // namespace octavo
