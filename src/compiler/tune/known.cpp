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
  const auto distance = [&](const Trial& t) {
    return std::pair(t.threads == threads ? 0 : 1, std::abs(t.batch - task.batch));
  };
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

/// The trials of candidates that were measured in turns: lines of a log with the same time of day.
class Turns {
 public:
  [[nodiscard]] bool are_of(const Trial& trial, std::size_t candidate) const {
    return trial.unix_ms == unix_ms_ && std::find(which_.begin(), which_.end(), candidate) == which_.end();
  }
  void add(const Trial& trial, std::size_t candidate) {
    unix_ms_ = trial.unix_ms;
    which_.push_back(candidate);
    measured_.push_back({trial.us, trial.error});
  }
  void end(Standing& standing) {
    standing.add(which_, measured_);
    which_.clear();
    measured_.clear();
  }

 private:
  std::int64_t unix_ms_ = 0;
  std::vector<std::size_t> which_;
  std::vector<Measured> measured_;
};

}  // namespace

bool is_from_here(const Trial& trial) {
  return trial.version == kVersion && trial.cpu == cpu_facts().brand && trial.isa == isa_name(usable_isa());
}

std::vector<Trial> trials_here(const TuningTask& task, std::span<const std::string> candidates,
                               std::span<const Measured> measured, int threads) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  std::vector<Trial> trials;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const bool has_failed = !measured[i].error.empty();
    trials.push_back({std::string(kVersion), cpu_facts().brand, std::string(isa_name(usable_isa())),
                      task.problem, task.batch, threads, candidates[i],
                      has_failed ? std::vector<double>{} : measured[i].us, measured[i].error, unix_ms});
  }
  return trials;
}

Known known_of(std::span<const TuningTask> tasks, const LoggedTrials& logged, int threads, Uses uses) {
  Known known;
  for (const TuningTask& task : tasks) {
    Standing standing{std::vector<Standing::Candidate>(task.candidates.size()), {}};
    Turns turns;
    for (const Trial* trial : trials_for(task, logged, threads, uses)) {
      const auto found = std::find(task.candidates.begin(), task.candidates.end(), trial->kernel);
      if (found == task.candidates.end()) continue;
      const auto candidate = static_cast<std::size_t>(found - task.candidates.begin());
      if (!turns.are_of(*trial, candidate)) turns.end(standing);
      turns.add(*trial, candidate);
      ++known.trials;
    }
    turns.end(standing);
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
