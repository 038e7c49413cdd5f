#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/fail.h"
#include "cli/dlrm_verbs.h"
#include "cli/kernel_counts.h"
#include "cli/model_options.h"
#include "package/package.h"

namespace octavo::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string stage = "summary";
  bool json = false;
};

std::string port_text(const PortInfo& port) {
  std::string text = fmt::format("{}: {}{}", port.name, dtype_name(port.dtype), shape_text(port.shape));
  if (port.is_batched) text += " per image";
  return text;
}

void print_summary(const Package& package, bool as_json) {
  const Plan& plan = package.data().plan;
  const auto counts = kernel_counts(Session(package).steps());
  if (as_json) {
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(package.manifest());
    json["steps"] = plan.steps.size();
    json["weights_bytes"] = package.weights_bytes();
    json["arena_fixed_bytes"] = plan.fixed_bytes;
    json["arena_bytes_per_image"] = plan.bytes_per_image;
    json["kernels"] = counts;
    fmt::print("{}\n", json.dump(1));
    return;
  }
  fmt::print("model    {}\n", package.name());
  for (const PortInfo& port : package.inputs()) fmt::print("input    {}\n", port_text(port));
  for (const PortInfo& port : package.outputs()) fmt::print("output   {}\n", port_text(port));
  fmt::print("weights  {}\nmemory   {} + {} per image\nsteps    {}\n", bytes_text(package.weights_bytes()),
             bytes_text(plan.fixed_bytes), bytes_text(plan.bytes_per_image), plan.steps.size());
  for (const auto& [kernel, count] : counts) fmt::print("  {:4} {}\n", count, kernel);
}

/// The text of the graph as it is imported ("graph") or after the last pass ("passes").
std::string graph_text(const ModelOptions& model, bool after_passes) {
  if (is_package(model.model)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("'{}' is a package: it holds no graph", model.model));
  }
  CompileOptions options = model.compile_options();
  std::string last;
  options.after_pass = [&](std::string_view pass, const std::function<std::string()>& text, double) {
    if (after_passes || pass == "import") last = text();
  };
  static_cast<void>(compile(model.model, options));
  return last;
}

void run(const Options& options) {
  if (is_dlrm(options.model.model)) return inspect_dlrm(options.model.model, options.json);
  if (options.stage == "graph" || options.stage == "passes") {
    fmt::print("{}", graph_text(options.model, options.stage == "passes"));
    return;
  }
  const Package package = options.model.open();
  if (options.stage == "plan") {
    fmt::print("{}", options.json ? plan_json(package.data().plan) : package.plan_text());
  } else if (options.stage == "manifest") {
    fmt::print("{}", package.manifest());
  } else {
    print_summary(package, options.json);
  }
}

}  // namespace

void add_inspect(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("inspect", "show what is inside a model or package");
  const auto options = std::make_shared<Options>();
  options->model.declare(*verb);
  verb->add_option("--stage", options->stage, "what to show")
      ->check(CLI::IsMember({"summary", "graph", "passes", "plan", "manifest"}))
      ->capture_default_str();
  verb->add_flag("--json", options->json, "for scripts (summary and plan)");
  verb->footer("Examples:\n  octavo inspect resnet50.pt --stage=graph\n  octavo inspect resnet50.tar --json");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
