// Compares what the tuner's search finds with trying everything: five convolutions of ResNet-50, their
// candidates in the worst order, fastest last. Prints, per problem and turn, the share of the best
// candidate's speed that the search's choice reaches, and the median of the turns.
//   search_bench [--turns N]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>

#include "base/cpu.h"
#include "compiler/compile_graph.h"
#include "compiler/import/synthetic/resnet50.h"
#include "compiler/tune/search.h"
#include "compiler/tune/step_run.h"
#include "engine/kernels/family.h"
#include "octavo/compile.h"
#include "package/package.h"

namespace octavo {
namespace {

/// The stem and one convolution of each stage: parts of their problems.
constexpr const char* kParts[] = {"ic3 ih224", "ic64 ih56 iw56 oc64 kh3", "ic128 ih28 iw28 oc128",
                                  "ic256 ih14 iw14 oc1024", "ic512 ih7 iw7 oc2048"};
constexpr std::int64_t kTrials = 40;
constexpr int kRounds = 5;
/// How often everything is measured, each time in another process: where its memory lies makes equal kernels
/// differ by up to a fifth.
constexpr int kProcesses = 8;

const Step& step_with(const Plan& plan, std::string_view part) {
  const auto found = std::find_if(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
    return step.problem.find(part) != std::string::npos;
  });
  if (found == plan.steps.end()) throw std::runtime_error(fmt::format("no step has '{}'", part));
  return *found;
}

/// Every legal row of a step at one image and thread; the tables' order, slowest first, turned round.
TuningTask task_of(const Step& step) {
  TuningTask task{step.problem, 1, 1, {}};
  for (const FamilyRow& row : family_of(step.problem).rows) {
    if (row.name == "reference" || !implies(usable_isa(), row.needs) || !row.supports(step.problem)) continue;
    task.candidates.insert(task.candidates.begin(), std::string(row.name));
  }
  return task;
}

/// The share of the best candidate's speed that the search's choice reaches.
double share_reached(const Package& package, const Step& step, const TuningTask& task) {
  const auto measure = [&](std::span<const std::string> candidates) {
    return measure_isolated(
        candidates, [&](const std::string& row) { return step_run(package.data(), step, row, 1, 1); },
        {.rounds = kRounds, .block_seconds = 0.002, .clock = TrialClock::thread, .patience_seconds = 20});
  };
  std::vector<Standing> standings{{std::vector<Standing::Candidate>(task.candidates.size()), {}}};
  search(std::span(&task, 1), standings, {kTrials}, 1,
         {[&](const TuningTask&, std::span<const std::string> c) { return measure(c); },
          [](const TuningTask&, SearchCalls::Candidates, std::span<const Measured>) {}});
  Standing everything{std::vector<Standing::Candidate>(task.candidates.size()), {}};
  std::vector<std::size_t> all(task.candidates.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  for (int process = 0; process < kProcesses; ++process) everything.add(all, measure(task.candidates));
  for (std::size_t c : all)
    fmt::print("    {:>9.1f} us  {}\n", everything.candidates[c].timing.median_us, task.candidates[c]);
  return everything.ratio(*everything.fastest(), standings[0].chosen()).median_us;
}

void compare(int turns) {
  const Package package = compile_graph(synthetic_resnet50(), {}, {});
  for (const char* part : kParts) {
    const Step& step = step_with(package.data().plan, part);
    const TuningTask task = task_of(step);
    fmt::print("{}\n", step.problem);
    std::vector<double> shares;
    shares.reserve(static_cast<std::size_t>(turns));
    for (int turn = 0; turn < turns; ++turn) shares.push_back(100 * share_reached(package, step, task));
    fmt::print("  {:.1f} % of the best of {}: median of {:.1f}\n", timing_of(shares).median_us,
               task.candidates.size(), fmt::join(shares, " "));
  }
}

}  // namespace
}  // namespace octavo

int main(int argc, char** argv) {
  CLI::App app("Compares the tuner's search with trying everything");
  int turns = 5;
  app.add_option("--turns", turns, "how often each problem is compared")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    octavo::compare(turns);
  } catch (const std::exception& e) {
    fmt::print(stderr, "search_bench: {}\n", e.what());
    return 1;
  }
}
