#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/tune/log.h"
#include "compiler/tune/search.h"
#include "octavo/session.h"

namespace octavo {

/// For which use of a model its kernels are chosen, and how.
struct TuneOptions {
  std::int64_t batch = 1;  ///< images that a run gets
  int threads = 1;         ///< of the session
  SearchBudget budget;
  std::uint64_t seed = 1;
  Timekeeping timekeeping;
  /// Candidates in an order of chance, as if the tables' own order were bad; for tests.
  std::optional<std::uint64_t> shuffle_candidates;
};

/// What was found for one task.
struct TunedTask {
  std::string problem;
  std::int64_t batch = 1;
  std::int64_t uses = 1;
  std::string expected, chosen;  ///< candidates: without measuring, and by measuring
  double expected_us = 0;        ///< the median of its times; 0 = not measured
  double chosen_us = 0;          ///< that times their ratio, as measured in turns
};

/// What is known of a task now.
TunedTask outcome(const TuningTask& task, const Standing& standing);
/// Adds a note for each of its candidates that failed.
void add_failures(const TuningTask& task, const Standing& standing, std::vector<std::string>& notes);

/// A tuned package and how it came about.
struct TuneResult {
  Package package;
  std::int64_t trials = 0;  ///< that stand for it, those of earlier runs included
  std::vector<TunedTask> tasks;
  std::vector<std::string> notes;  ///< for people: damaged lines, trials of elsewhere, failed candidates
};

/// How far a search is; for progress lines.
struct TuneProgress {
  std::int64_t trials = 0, most_trials = 0;
  double expected_us = 0, chosen_us = 0;  ///< of all tasks measured so far, in one run
};

/// Times the legal kernels of every step, then how images should go through the plan, then how many sessions
/// should share the threads, on this machine, and writes each trial to `log`. Trials of this CPU, version and
/// use that `logged` holds count as made. The caller's process must have no other threads. Errors as
/// Session::Session, and Error(io) from the log.
TuneResult tune(const Package& package, const LoggedTrials& logged, TuningLog& log,
                const TuneOptions& options, const std::function<void(const TuneProgress&)>& progress = {});

/// The package with the choices that the trials of `logged` support, without measuring. Of several uses
/// that were tuned the one with as many threads counts, then the one with the nearest batch. Steps without
/// trials are noted.
TuneResult apply_log(const Package& package, const LoggedTrials& logged, const TuneOptions& options);

}  // namespace octavo
