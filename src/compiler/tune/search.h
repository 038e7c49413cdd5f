#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/tune/isolated.h"
#include "compiler/tune/trial.h"

namespace octavo {

/// Something to choose a candidate for.
struct TuningTask {
  std::string problem;
  std::int64_t batch = 1;
  std::int64_t uses = 1;                ///< how often a run does it
  std::vector<std::string> candidates;  ///< what is taken without measuring first
};

/// What is known of a task's candidates so far, in their order.
struct Standing {
  struct Candidate {
    std::vector<double> us;
    int trials = 0;
    bool has_failed = false;
    Timing timing;  ///< of `us`, where there are any
  };
  std::vector<Candidate> candidates;
  /// Times that were taken one after the other, by candidate; 0 where there is none.
  std::vector<std::vector<double>> rounds;

  /// A trial of the first of the candidates `which`, measured in turns with the others.
  void add(std::span<const std::size_t> which, std::span<const Measured> measured);
  /// How many times the time of `b` candidate `a` takes, both with times: the median over the rounds that
  /// timed both, because a machine's speed may change from round to round; where no round did, by way of a
  /// candidate that was timed with either; of their medians where there is none.
  [[nodiscard]] Timing ratio(std::size_t a, std::size_t b) const;
  /// The candidate to take: the first one that works unless another is faster by more than noise. Nothing
  /// measured gives 0.
  [[nodiscard]] std::size_t chosen() const;
  /// The fastest candidate that works; nothing when none is known to.
  [[nodiscard]] std::optional<std::size_t> fastest() const;
  /// Those that more measuring may show to be faster than the fastest; none when that is decided.
  [[nodiscard]] std::vector<std::size_t> contenders() const;
};

/// When to stop.
struct SearchBudget {
  std::int64_t trials = 3000;
  double seconds = std::numeric_limits<double>::infinity();
};

/// What the search calls for one trial of the first of one or two candidates: `measure` times them in turns
/// and gives one Measured for each; `record` gets what came of it.
struct SearchCalls {
  using Candidates = std::span<const std::string>;
  std::function<std::vector<Measured>(const TuningTask&, Candidates)> measure;
  std::function<void(const TuningTask&, Candidates, std::span<const Measured>)> record;
};

/// Measures until every task is decided or the budget is spent; returns the trials made. First every
/// candidate once, tasks in an order that `seed` fixes, then again a contender of the task where most time
/// may be won, each in turns with the fastest candidate so far. `standings` has what earlier runs found of
/// each task and is brought up to date.
std::int64_t search(std::span<const TuningTask> tasks, std::span<Standing> standings,
                    const SearchBudget& budget, std::uint64_t seed, const SearchCalls& calls);

}  // namespace octavo
