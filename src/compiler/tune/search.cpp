#include "compiler/tune/search.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>

namespace octavo {
namespace {

// A candidate is not told apart from one that is less than this share faster: repeated runs of one process
// scatter as much (docs/design/tuning.md).
constexpr double kSameTime = 0.01;
// Near-ties that so many trials did not decide do not matter.
constexpr int kMostTrials = 6;
constexpr int kLeastTrials = 2;

bool has_times(const Standing::Candidate& candidate) {
  return !candidate.us.empty() && !candidate.has_failed;
}

/// The fastest candidate that works.
std::optional<std::size_t> fastest(const Standing& standing) {
  std::optional<std::size_t> best;
  for (std::size_t c = 0; c < standing.candidates.size(); ++c) {
    if (has_times(standing.candidates[c]) && (!best || standing.ratio(c, *best).median_us < 1)) best = c;
  }
  return best;
}

/// By how much two candidates' ratio may be off by chance.
double doubt(const Timing& ratio) { return kSameTime + 2 * ratio.noise; }
/// The same, more cautious: a ratio of few rounds knows its own noise badly.
double wide_doubt(const Timing& ratio) { return kSameTime + 3 * ratio.noise; }

std::vector<std::size_t> unmeasured(const Standing& standing) {
  std::vector<std::size_t> which;
  for (std::size_t c = 0; c < standing.candidates.size(); ++c) {
    if (standing.candidates[c].trials == 0) which.push_back(c);
  }
  return which;
}

/// Microseconds of a run that more measuring of the task may save.
double expected_gain(const TuningTask& task, const Standing& standing) {
  const auto contenders = standing.contenders();
  if (contenders.size() < 2) return 0;
  const std::size_t best = *fastest(standing);
  double widest = 0;
  for (std::size_t c : contenders) widest = std::max(widest, wide_doubt(standing.ratio(c, best)));
  return static_cast<double>(task.uses) * standing.candidates[best].timing.median_us * widest;
}

/// Tasks in an order that depends on nothing but the seed.
std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937_64 random(seed);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

/// A search under way.
class Search {
 public:
  Search(std::span<const TuningTask> tasks, std::span<Standing> standings, const SearchBudget& budget,
         const SearchCalls& calls)
      : tasks_(tasks), standings_(standings), budget_(budget), calls_(calls) {}

  /// Measures some candidates of a task, as far as the budget goes.
  void measure(std::size_t task, std::vector<std::size_t> which) {
    which.resize(std::min(which.size(), static_cast<std::size_t>(budget_.trials - spent_)));
    std::vector<std::string> names;
    for (std::size_t c : which) names.push_back(tasks_[task].candidates[c]);
    const std::vector<Measured> measured = calls_.measure(tasks_[task], names);
    standings_[task].add(which, measured);
    spent_ += static_cast<std::int64_t>(which.size());
    calls_.record(tasks_[task], names, measured);
  }
  [[nodiscard]] bool may_go_on() const {
    const auto passed = std::chrono::steady_clock::now() - begin_;
    return spent_ < budget_.trials && std::chrono::duration<double>(passed).count() < budget_.seconds;
  }
  /// The undecided task where most time may be won.
  [[nodiscard]] std::optional<std::size_t> most_promising() const {
    std::optional<std::size_t> best;
    double best_gain = 0;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      const double gain = expected_gain(tasks_[t], standings_[t]);
      if (gain > best_gain) best = t;
      best_gain = std::max(best_gain, gain);
    }
    return best;
  }
  [[nodiscard]] const Standing& standing(std::size_t task) const { return standings_[task]; }
  [[nodiscard]] std::int64_t spent() const noexcept { return spent_; }

 private:
  std::span<const TuningTask> tasks_;
  std::span<Standing> standings_;
  const SearchBudget& budget_;
  const SearchCalls& calls_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::int64_t spent_ = 0;
};

}  // namespace

void Standing::add(std::span<const std::size_t> which, std::span<const Measured> measured) {
  std::size_t taken = 0;
  for (const Measured& m : measured) taken = std::max(taken, m.us.size());
  const std::size_t first = rounds.size();
  rounds.resize(first + taken, std::vector<double>(candidates.size()));
  for (std::size_t i = 0; i < which.size(); ++i) {
    Candidate& c = candidates[which[i]];
    ++c.trials;
    c.has_failed = c.has_failed || !measured[i].error.empty();
    c.us.insert(c.us.end(), measured[i].us.begin(), measured[i].us.end());
    if (!c.us.empty()) c.timing = timing_of(c.us);
    for (std::size_t r = 0; r < measured[i].us.size(); ++r) rounds[first + r][which[i]] = measured[i].us[r];
  }
}

Timing Standing::ratio(std::size_t a, std::size_t b) const {
  std::vector<double> ratios;
  for (const std::vector<double>& us : rounds) {
    if (us[a] > 0 && us[b] > 0) ratios.push_back(us[a] / us[b]);
  }
  if (!ratios.empty()) return timing_of(ratios);
  const Timing& of_a = candidates[a].timing;
  const Timing& of_b = candidates[b].timing;
  return {of_a.median_us / of_b.median_us, of_a.noise + of_b.noise};
}

std::size_t Standing::chosen() const {
  const auto best = fastest(*this);
  if (!best) return 0;
  const auto first = static_cast<std::size_t>(std::find_if(candidates.begin(), candidates.end(), has_times) -
                                              candidates.begin());
  const Timing found = ratio(*best, first);
  return found.median_us * (1 + doubt(found)) < 1 ? *best : first;
}

std::vector<std::size_t> Standing::contenders() const {
  std::vector<std::size_t> which;
  const auto best = fastest(*this);
  if (!best) return which;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Candidate& other = candidates[c];
    if (!has_times(other) || other.trials >= kMostTrials) continue;
    const Timing found = ratio(c, *best);
    const bool may_be_faster = found.median_us < 1 + wide_doubt(found);
    if (c == *best || may_be_faster || (other.trials < kLeastTrials && other.us.size() > 1))
      which.push_back(c);
  }
  return which;
}

std::int64_t search(std::span<const TuningTask> tasks, std::span<Standing> standings,
                    const SearchBudget& budget, std::uint64_t seed, const SearchCalls& calls) {
  Search all(tasks, standings, budget, calls);
  for (std::size_t task : shuffled(tasks.size(), seed)) {
    if (!all.may_go_on()) break;
    const auto which = unmeasured(all.standing(task));
    if (!which.empty()) all.measure(task, which);
  }
  while (all.may_go_on()) {
    const auto task = all.most_promising();
    if (!task) break;
    all.measure(*task, all.standing(*task).contenders());
  }
  return all.spent();
}

}  // namespace octavo
