#include "compiler/tune/known.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "base/cpu.h"
#include "base/version.h"

namespace octavo {
namespace {

/// The trials that tell something about a task: of the use asked for, or of the one that is nearest to it.
std::vector<const Trial*> trials_for(const TuningTask& task, const LoggedTrials& logged, int threads,
                                     Uses uses) {
  const auto distance = [&](const Trial& t) { return use_distance(t, task.batch, threads); };
  std::vector<const Trial*> nearest;
  for (const Trial& trial : logged.trials) {
    if (!is_from_here(trial) || trial.problem != task.problem) continue;
    if (uses == Uses::same && (trial.batch != task.batch || trial.threads != threads)) continue;
    if (!nearest.empty() && distance(trial) > distance(*nearest.front())) continue;
    if (!nearest.empty() && distance(trial) < distance(*nearest.front())) nearest.clear();
    nearest.push_back(&trial);
  }
  return nearest;
}

/// Adds a trial of one of the task's candidates; whether it was one.
bool add_trial(const TuningTask& task, const Trial& trial, Standing& standing) {
  std::vector<std::size_t> which;
  std::vector<Measured> measured;
  const auto add = [&](const std::string& candidate, Measured times) {
    const auto found = std::find(task.candidates.begin(), task.candidates.end(), candidate);
    if (found == task.candidates.end()) return;
    which.push_back(static_cast<std::size_t>(found - task.candidates.begin()));
    measured.push_back(std::move(times));
  };
  add(trial.kernel, {trial.us, trial.error});
  if (which.empty()) return false;
  add(trial.against, {trial.against_us, ""});
  standing.add(which, measured);
  return true;
}

}  // namespace

bool is_from_here(const Trial& trial) {
  return trial.version == kVersion && trial.cpu == cpu_facts().brand && trial.isa == isa_name(usable_isa());
}

std::pair<int, std::int64_t> use_distance(const Trial& trial, std::int64_t batch, int threads) {
  return {trial.threads == threads ? 0 : 1, std::abs(trial.batch - batch)};
}

Trial trial_here(const TuningTask& task, std::span<const std::string> candidates,
                 std::span<const Measured> measured, int threads) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const Measured& of_it = measured.front();
  Trial trial{std::string(kVersion),
              cpu_facts().brand,
              std::string(isa_name(usable_isa())),
              task.problem,
              task.batch,
              threads,
              candidates.front(),
              {},
              of_it.error,
              unix_ms,
              "",
              {}};
  if (of_it.error.empty()) trial.us = of_it.us;
  if (candidates.size() > 1) {
    trial.against = candidates[1];
    trial.against_us = measured[1].us;
  }
  return trial;
}

Known known_of(std::span<const TuningTask> tasks, const LoggedTrials& logged, int threads, Uses uses) {
  Known known;
  for (const TuningTask& task : tasks) {
    Standing standing{std::vector<Standing::Candidate>(task.candidates.size()), {}};
    for (const Trial* trial : trials_for(task, logged, threads, uses)) {
      if (add_trial(task, *trial, standing)) ++known.trials;
    }
    known.standings.push_back(std::move(standing));
  }
  return known;
}

std::vector<std::string> useless_parts(const LoggedTrials& logged, std::span<const std::string> problems) {
  std::vector<std::string> notes;
  std::int64_t elsewhere = 0, other_version = 0, other_model = 0;
  for (const Trial& trial : logged.trials) {
    if (trial.version != kVersion) {
      ++other_version;
    } else if (!is_from_here(trial)) {
      ++elsewhere;
    } else if (std::find(problems.begin(), problems.end(), trial.problem) == problems.end()) {
      ++other_model;
    }
  }
  if (!logged.damaged_lines.empty()) {
    notes.push_back(fmt::format("the log's line {}{} no trial and was skipped", logged.damaged_lines.front(),
                                logged.damaged_lines.size() > 1
                                    ? fmt::format(" and {} more are", logged.damaged_lines.size() - 1)
                                    : " is"));
  }
  if (other_version > 0)
    notes.push_back(
        fmt::format("{} trials of the log are of another version than octavo {}", other_version, kVersion));
  if (elsewhere > 0)
    notes.push_back(fmt::format("{} trials of the log are of another CPU or instruction set than {} with {}",
                                elsewhere, cpu_facts().brand, isa_name(usable_isa())));
  if (other_model > 0) notes.push_back(fmt::format("{} trials of the log are of other models", other_model));
  return notes;
}

}  // namespace octavo
