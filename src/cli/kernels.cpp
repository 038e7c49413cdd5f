#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "cli/verbs.h"
#include "engine/kernels/family.h"

namespace octavo::cli {
namespace {

struct Options {
  std::string problem;
  bool json = false;
};

/// Why a row cannot run here, or should not solve the problem; empty when it should.
std::string objection(const FamilyRow& row, const std::string& problem) {
  if (!implies(usable_isa(), row.needs)) return fmt::format("needs {}", isa_name(row.needs));
  const std::string no = problem.empty() ? "" : std::string(row.supports(problem).reason);
  return no.empty() && row.only_on_request ? "only on request: --kernels" : no;
}

void run(const Options& options) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const KernelFamily& family : kernel_families()) {
    if (!options.problem.empty() && &family != &family_of(options.problem)) continue;
    for (const FamilyRow& row : family.rows) {
      const std::string no = objection(row, options.problem);
      json.push_back(
          {{"family", family.name}, {"kernel", row.name}, {"needs", isa_name(row.needs)}, {"objection", no}});
      if (!options.json)
        fmt::print("{:18}{:26}{:14}{}\n", family.name, row.name, isa_name(row.needs), no.empty() ? "ok" : no);
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(1));
}

}  // namespace

void add_kernels(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("kernels", "list the kernels, best first, and which can run here");
  const auto options = std::make_shared<Options>();
  verb->add_option("--problem", options->problem,
                   "only those of this problem, and why each can or cannot solve it");
  verb->add_flag("--json", options->json, "for scripts");
  verb->footer("Example:\n  octavo kernels --problem 'conv2d ic64 ih56 iw56 oc64 kh3 kw3 pt1 pl1 pb1 pr1'");
  verb->callback([options] { run(*options); });
}

}  // namespace octavo::cli
