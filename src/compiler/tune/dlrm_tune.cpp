#include "compiler/tune/dlrm_tune.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <memory>
#include <optional>
#include <set>

#include "base/cpu.h"
#include "base/fail.h"
#include "compiler/tune/known.h"
#include "engine/session/dlrm/float_pipeline.h"
#include "engine/session/dlrm/int8_pipeline.h"

namespace octavo {
namespace {

/// Fewer samples at a time leave layers that wait for their weights.
constexpr std::int64_t kFewestSamples = 32;

/// "amx_int8:256" as the options that it stands for.
DlrmSessionOptions options_of(DlrmPrecision precision, std::string_view candidate, int threads) {
  const std::size_t colon = std::min(candidate.find(':'), candidate.size());
  DlrmSessionOptions options;
  options.precision = precision;
  options.threads = threads;
  options.kernel = candidate.substr(0, colon);
  const std::string_view number = candidate.substr(std::min(colon + 1, candidate.size()));
  std::from_chars(number.data(), number.data() + number.size(), options.samples_per_pass);
  return options;
}

/// Samples `first` .. `first + samples` of a batch without bags.
DlrmBatch part(const DlrmBatch& whole, std::int64_t first, std::int64_t samples) {
  const auto features = std::ssize(whole.dense) / whole.samples;
  const auto at = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  return {samples,
          whole.dense.subspan(at(first * features), at(samples * features)),
          whole.indices.subspan(at(first)),
          {},
          whole.samples};
}

/// Scores batches of `data` one after the other. `next` is shared by all candidates: what one of them scored
/// is warm, and must not be what the next one scores.
ReadyCandidate dlrm_run(const Dlrm& model, const DlrmSessionOptions& options, const DlrmBatch& data,
                        std::int64_t batch, const std::shared_ptr<std::int64_t>& next) {
  auto session = std::make_shared<DlrmSession>(model, options);
  auto scores = std::make_shared<std::vector<float>>(static_cast<std::size_t>(batch));
  return {[=] {
    if (*next + batch > data.samples) *next = 0;
    session->score(part(data, *next, batch), *scores);
    *next += batch;
  }};
}

std::string problem_of(const DlrmModel& model, DlrmPrecision precision) {
  std::set<std::string_view> formats;
  for (const DlrmTable& table : model.tables) formats.insert(row_format_name(table.format));
  return fmt::format("dlrm {} {}, {}", arithmetic_name(precision), print(model), fmt::join(formats, "+"));
}

/// What the task's trials decide, for the use that they were made for.
DlrmTuning choice_of(const TunedTask& task, DlrmPrecision precision, int threads) {
  const DlrmSessionOptions chosen = options_of(precision, task.chosen, threads);
  return {std::string(arithmetic_name(precision)),
          std::string(isa_name(usable_isa())),
          chosen.kernel,
          chosen.samples_per_pass,
          task.batch,
          threads,
          task.chosen_us};
}

/// Of the uses that the log times `problem` for on this CPU, the one with as many threads, then the nearest
/// batch.
std::optional<TuneOptions> nearest_use(const LoggedTrials& logged, std::string_view problem,
                                       const TuneOptions& wanted) {
  const Trial* nearest = nullptr;
  const auto distance = [&](const Trial& t) { return use_distance(t, wanted.batch, wanted.threads); };
  for (const Trial& trial : logged.trials) {
    if (!is_from_here(trial) || trial.problem != problem || trial.us.empty()) continue;
    if (nearest == nullptr || distance(trial) < distance(*nearest)) nearest = &trial;
  }
  if (nearest == nullptr) return std::nullopt;
  TuneOptions use = wanted;
  use.batch = nearest->batch;
  use.threads = nearest->threads;
  return use;
}

/// The arithmetics that the model can be scored in.
std::vector<DlrmPrecision> arithmetics_of(const Dlrm& model) {
  std::vector<DlrmPrecision> found{DlrmPrecision::f32, DlrmPrecision::bf16};
  if (model.is_calibrated()) found.push_back(DlrmPrecision::int8);
  return found;
}

}  // namespace

TuningTask dlrm_task(const Dlrm& model, DlrmPrecision precision, std::int64_t batch, int threads) {
  TuningTask task{problem_of(model.data().model, precision), batch, 1, {}};
  const std::int64_t share = batch / threads + (batch % threads == 0 ? 0 : 1);
  for (const DlrmRow& row : dlrm_rows(precision)) {
    const bool is_needed = row.name != "reference" || task.candidates.empty();
    if (!is_needed || !runs_here(row, usable_isa())) continue;
    const std::string name(row.name);
    const DlrmSession session(model, options_of(precision, name, 1));
    task.candidates.push_back(name);
    const std::int64_t most = std::min(session.samples_per_pass(), share);
    for (std::int64_t samples = kFewestSamples; samples < most; samples *= 2)
      task.candidates.push_back(fmt::format("{}:{}", name, samples));
  }
  return task;
}

DlrmTuneResult tune_dlrm(const Dlrm& model, DlrmPrecision precision, const DlrmBatch& data,
                         const LoggedTrials& logged, TuningLog& log, const TuneOptions& options,
                         const std::function<void(const TuneProgress&)>& progress) {
  if (data.samples < options.batch) {
    fail(ErrorCode::invalid_argument, "{} samples at once, the data makes {}", options.batch, data.samples);
  }
  const TuningTask task = dlrm_task(model, precision, options.batch, options.threads);
  Known known = known_of(std::span(&task, 1), logged, options.threads, Uses::same);
  SearchBudget budget = options.budget;
  budget.trials = std::max<std::int64_t>(budget.trials - known.trials, 0);
  Timekeeping timekeeping = options.timekeeping;
  if (options.threads == 1) timekeeping.clock = TrialClock::thread;
  const auto next = std::make_shared<std::int64_t>(0);
  const auto measure = [&](const TuningTask&, std::span<const std::string> candidates) {
    return measure_isolated(
        candidates,
        [&](const std::string& candidate) {
          return dlrm_run(model, options_of(precision, candidate, options.threads), data, options.batch,
                          next);
        },
        timekeeping);
  };
  const auto record = [&](const TuningTask&, SearchCalls::Candidates candidates,
                          std::span<const Measured> measured) {
    log.add(trial_here(task, candidates, measured, options.threads));
    ++known.trials;
    const TunedTask found = outcome(task, known.standings.front());
    if (progress) progress({known.trials, options.budget.trials, found.expected_us, found.chosen_us});
  };
  search(std::span(&task, 1), known.standings, budget, options.seed, {measure, record});

  DlrmTuneResult result;
  result.task = outcome(task, known.standings.front());
  result.trials = known.trials;
  result.choice = choice_of(result.task, precision, options.threads);
  result.notes = useless_parts(logged, std::span(&task.problem, 1));
  add_failures(task, known.standings.front(), result.notes);
  return result;
}

DlrmLogged apply_log(const Dlrm& model, const LoggedTrials& logged, const TuneOptions& options) {
  DlrmLogged found;
  std::vector<std::string> problems;
  for (const DlrmPrecision precision : arithmetics_of(model)) {
    const std::string& problem = problems.emplace_back(problem_of(model.data().model, precision));
    const std::optional<TuneOptions> use = nearest_use(logged, problem, options);
    TunedTask tuned;
    if (use) {
      const TuningTask task = dlrm_task(model, precision, use->batch, use->threads);
      const Known known = known_of(std::span(&task, 1), logged, use->threads, Uses::same);
      add_failures(task, known.standings.front(), found.notes);
      tuned = outcome(task, known.standings.front());
      found.trials += known.trials;
    }
    if (tuned.chosen_us > 0) {
      found.choices.push_back(choice_of(tuned, precision, use->threads));
    } else {
      found.notes.push_back(fmt::format("not tuned: '{}'", problem));
    }
  }
  const std::vector<std::string> useless = useless_parts(logged, problems);
  found.notes.insert(found.notes.end(), useless.begin(), useless.end());
  return found;
}

}  // namespace octavo
