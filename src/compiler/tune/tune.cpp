#include "compiler/tune/tune.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/cpu.h"
#include "compiler/tune/known.h"
#include "compiler/tune/step_run.h"
#include "compiler/tune/tasks.h"
#include "package/package.h"

namespace octavo {

TunedTask outcome(const TuningTask& task, const Standing& standing) {
  TunedTask tuned{task.problem, task.batch, task.uses, "", "", 0, 0};
  if (task.candidates.empty()) return tuned;
  const std::size_t chosen = standing.chosen();
  tuned.expected = task.candidates.front();
  tuned.chosen = task.candidates[chosen];
  tuned.expected_us = standing.candidates.front().timing.median_us;
  tuned.chosen_us = standing.candidates[chosen].timing.median_us;
  // Medians of different moments would tell how the machine's speed changed.
  if (tuned.expected_us > 0) tuned.chosen_us = tuned.expected_us * standing.ratio(chosen, 0).median_us;
  return tuned;
}

void add_failures(const TuningTask& task, const Standing& standing, std::vector<std::string>& notes) {
  for (std::size_t c = 0; c < task.candidates.size(); ++c) {
    if (!standing.candidates[c].has_failed) continue;
    notes.push_back(
        fmt::format("kernel {} failed for '{}' and is not used there", task.candidates[c], task.problem));
  }
}

namespace {

/// Everything that is chosen for one model and one use.
struct Problems {
  int threads;
  StepTasks steps;
  TuningTask session, instances;
  Known known_steps, known_session, known_instances;

  Problems(const Plan& plan, const LoggedTrials& logged, const TuneOptions& options, Uses uses)
      : threads(options.threads),
        steps(step_tasks(plan, options.batch)),
        session(session_task(plan, options.batch)),
        instances(instances_task(plan, options.batch, options.threads)) {
    if (options.shuffle_candidates) shuffle(steps, *options.shuffle_candidates);
    known_steps = known_of(steps.tasks, logged, threads, uses);
    known_session = known_of(std::span(&session, 1), logged, threads, uses);
    known_instances = known_of(std::span(&instances, 1), logged, threads, uses);
  }

  [[nodiscard]] std::int64_t trials() const {
    return known_steps.trials + known_session.trials + known_instances.trials;
  }
  [[nodiscard]] PassShape pass() const {
    return parse_pass(session.candidates[known_session.standings.front().chosen()]);
  }

  /// The plan with a hint at every step that was measured, and how it is best run.
  [[nodiscard]] Plan hinted(const Plan& plan, std::int64_t trials) const {
    Plan tuned = plan;
    for (std::size_t s = 0; s < tuned.steps.size(); ++s) {
      const std::size_t task = steps.task_of[s];
      const TunedTask found = outcome(steps.tasks[task], known_steps.standings[task]);
      tuned.steps[s].kernel = found.chosen_us > 0 ? found.chosen : "";
      tuned.steps[s].measured_us = found.chosen_us;
    }
    tuned.tuning = Tuning{cpu_facts().brand, std::string(isa_name(usable_isa())), trials, pass(), 0, 0};
    const TunedTask split = outcome(instances, known_instances.standings.front());
    if (split.chosen_us > 0) {
      tuned.tuning->instances = parse_instances(split.chosen);
      tuned.tuning->threads = threads;
    }
    return tuned;
  }

  [[nodiscard]] TuneResult result(const Package& package, const LoggedTrials& logged,
                                  std::int64_t trials) const {
    TuneResult found{with_plan(package, hinted(package.data().plan, trials)), trials, {}, {}};
    std::vector<std::string> problems;
    const auto add = [&](const TuningTask& task, const Standing& standing) {
      problems.push_back(task.problem);
      if (task.candidates.empty()) return;
      found.tasks.push_back(outcome(task, standing));
      add_failures(task, standing, found.notes);
    };
    for (std::size_t t = 0; t < steps.tasks.size(); ++t) add(steps.tasks[t], known_steps.standings[t]);
    add(session, known_session.standings.front());
    add(instances, known_instances.standings.front());
    const auto useless = useless_parts(logged, problems);
    found.notes.insert(found.notes.end(), useless.begin(), useless.end());
    return found;
  }
};

TuneProgress progress_of(const Problems& problems, std::int64_t trials, std::int64_t most) {
  TuneProgress progress{trials, most, 0, 0};
  for (std::size_t t = 0; t < problems.steps.tasks.size(); ++t) {
    const TunedTask found = outcome(problems.steps.tasks[t], problems.known_steps.standings[t]);
    if (found.expected_us <= 0) continue;
    progress.expected_us += found.expected_us * static_cast<double>(found.uses);
    progress.chosen_us += found.chosen_us * static_cast<double>(found.uses);
  }
  return progress;
}

}  // namespace

TuneResult tune(const Package& package, const LoggedTrials& logged, TuningLog& log,
                const TuneOptions& options, const std::function<void(const TuneProgress&)>& progress) {
  const Plan& plan = package.data().plan;
  Problems problems(plan, logged, options, Uses::same);
  std::int64_t trials = problems.trials();
  SearchBudget budget = options.budget;
  budget.trials = std::max<std::int64_t>(options.budget.trials - trials, 0);
  const auto record = [&](const TuningTask& task, SearchCalls::Candidates candidates,
                          std::span<const Measured> measured) {
    log.add(trial_here(task, candidates, measured, options.threads));
    ++trials;
    if (progress) progress(progress_of(problems, trials, options.budget.trials));
  };
  Timekeeping timekeeping = options.timekeeping;
  if (options.threads == 1) timekeeping.clock = TrialClock::thread;
  const auto measure_steps = [&](const TuningTask& task, std::span<const std::string> candidates) {
    const auto index = static_cast<std::size_t>(&task - problems.steps.tasks.data());
    const Step& step = plan.steps[problems.steps.example[index]];
    return measure_isolated(
        candidates,
        [&](const std::string& row) {
          return step_run(package.data(), step, row, task.batch, options.threads);
        },
        timekeeping);
  };
  budget.trials -= search(problems.steps.tasks, problems.known_steps.standings, budget, options.seed,
                          {measure_steps, record});
  const Package hinted = with_plan(package, problems.hinted(plan, trials));
  const auto measure_session = [&](const TuningTask& task, std::span<const std::string> candidates) {
    return measure_isolated(
        candidates,
        [&](const std::string& pass) {
          return session_run(hinted, parse_pass(pass), task.batch, options.threads);
        },
        timekeeping);
  };
  budget.trials -= search(std::span(&problems.session, 1), problems.known_session.standings, budget,
                          options.seed, {measure_session, record});
  const auto measure_instances = [&](const TuningTask& task, std::span<const std::string> candidates) {
    return measure_isolated(
        candidates,
        [&](const std::string& split) {
          return instances_run(hinted, problems.pass(), task.batch, parse_instances(split), options.threads);
        },
        timekeeping);
  };
  search(std::span(&problems.instances, 1), problems.known_instances.standings, budget, options.seed,
         {measure_instances, record});
  return problems.result(package, logged, trials);
}

TuneResult apply_log(const Package& package, const LoggedTrials& logged, const TuneOptions& options) {
  const Problems problems(package.data().plan, logged, options, Uses::nearest);
  TuneResult found = problems.result(package, logged, problems.trials());
  for (const TunedTask& task : found.tasks) {
    if (task.chosen_us <= 0) found.notes.push_back(fmt::format("not tuned: '{}'", task.problem));
  }
  return found;
}

}  // namespace octavo
