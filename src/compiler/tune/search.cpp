#include "compiler/tune/search.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace octavo {
namespace {

// A candidate is not told apart from one that is less than this share faster: repeated runs of one process
// scatter as much (docs/design/tuning.md).
constexpr double kSameTime = 0.01;
// Near-ties that so many trials did not decide do not matter.
constexpr int kMostTrials = 6;
// Of few rounds the noise is known badly, so candidates near to the fastest, and the one that it would
// replace unless that is far, are measured in turns with it for some rounds in any case.
constexpr std::size_t kLeastRounds = 15;
constexpr double kNear = 1.25, kFar = 2;

bool has_times(const Standing::Candidate& candidate) {
  return !candidate.us.empty() && !candidate.has_failed;
}

/// What is taken unless another candidate is faster; their number where none works.
std::size_t first_working(std::span<const Standing::Candidate> candidates) {
  const auto first = std::find_if(candidates.begin(), candidates.end(), has_times);
  return static_cast<std::size_t>(first - candidates.begin());
}

/// The ratio of two candidates' times in the rounds that timed both.
struct Comparison {
  Timing ratio;
  std::size_t rounds = 0;
};
Comparison compared(std::span<const std::vector<double>> rounds, std::size_t a, std::size_t b) {
  std::vector<double> ratios;
  for (const std::vector<double>& us : rounds) {
    if (us[a] > 0 && us[b] > 0) ratios.push_back(us[a] / us[b]);
  }
  if (ratios.empty()) return {};
  return {timing_of(ratios), ratios.size()};
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

/// The contender that may be faster by most, and the share of the fastest one's time that this is.
struct Chance {
  std::size_t candidate = 0;
  double share = 0;
};
std::optional<Chance> best_chance(const Standing& standing) {
  std::optional<Chance> best;
  for (std::size_t c : standing.contenders()) {
    const Timing found = standing.ratio(c, *standing.fastest());
    const double share = std::max(1 + wide_doubt(found) - found.median_us, kSameTime);
    if (!best || share > best->share) best = {c, share};
  }
  return best;
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

  /// A trial of a candidate, in turns with the fastest one so far.
  void measure(std::size_t task, std::size_t candidate) {
    Standing& standing = standings_[task];
    const std::vector<std::string>& all = tasks_[task].candidates;
    std::vector<std::size_t> which{candidate};
    std::vector<std::string> names{all[candidate]};
    if (const auto best = standing.fastest(); best && *best != candidate) {
      which.push_back(*best);
      names.push_back(all[*best]);
    }
    const std::vector<Measured> measured = calls_.measure(tasks_[task], names);
    standing.add(which, measured);
    ++spent_;
    calls_.record(tasks_[task], names, measured);
  }
  [[nodiscard]] bool may_go_on() const {
    const auto passed = std::chrono::steady_clock::now() - begin_;
    return spent_ < budget_.trials && std::chrono::duration<double>(passed).count() < budget_.seconds;
  }
  struct Choice {
    std::size_t task, candidate;
  };
  /// Where a trial may save most microseconds of a run; nothing when every task is decided.
  [[nodiscard]] std::optional<Choice> most_promising() const {
    std::optional<Choice> best;
    double best_gain = 0;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      const auto chance = best_chance(standings_[t]);
      if (!chance) continue;
      const double us = standings_[t].candidates[*standings_[t].fastest()].timing.median_us;
      const double gain = static_cast<double>(tasks_[t].uses) * us * chance->share;
      if (gain > best_gain) best = {t, chance->candidate};
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
  ++candidates[which.front()].trials;
  for (std::size_t i = 0; i < which.size(); ++i) {
    Candidate& c = candidates[which[i]];
    c.has_failed = c.has_failed || !measured[i].error.empty();
    c.us.insert(c.us.end(), measured[i].us.begin(), measured[i].us.end());
    if (!c.us.empty()) c.timing = timing_of(c.us);
    for (std::size_t r = 0; r < measured[i].us.size(); ++r) rounds[first + r][which[i]] = measured[i].us[r];
  }
}

Timing Standing::ratio(std::size_t a, std::size_t b) const {
  if (a == b) return {1, 0};
  const Comparison direct = compared(rounds, a, b);
  if (direct.rounds > 0) return direct.ratio;
  std::optional<Timing> best;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Comparison of_a = compared(rounds, a, c), of_b = compared(rounds, b, c);
    if (of_a.rounds == 0 || of_b.rounds == 0) continue;
    const Timing found{of_a.ratio.median_us / of_b.ratio.median_us, of_a.ratio.noise + of_b.ratio.noise};
    if (!best || found.noise < best->noise) best = found;
  }
  if (best) return *best;
  const Timing& of_a = candidates[a].timing;
  const Timing& of_b = candidates[b].timing;
  return {of_a.median_us / of_b.median_us, of_a.noise + of_b.noise};
}

std::optional<std::size_t> Standing::fastest() const {
  std::optional<std::size_t> best;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    if (has_times(candidates[c]) && (!best || ratio(c, *best).median_us < 1)) best = c;
  }
  return best;
}

std::size_t Standing::chosen() const {
  const auto best = fastest();
  if (!best) return 0;
  const std::size_t replaced = first_working(candidates);
  const Timing found = ratio(*best, replaced);
  return found.median_us * (1 + doubt(found)) < 1 ? *best : replaced;
}

std::vector<std::size_t> Standing::contenders() const {
  std::vector<std::size_t> which;
  const auto best = fastest();
  const std::size_t replaced = first_working(candidates);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Candidate& other = candidates[c];
    if (c == best || !has_times(other)) continue;
    const Timing found = ratio(c, *best);
    const bool may_be_faster = found.median_us < 1 + wide_doubt(found) && other.trials < kMostTrials;
    const bool is_compared = compared(rounds, c, *best).rounds >= kLeastRounds;
    const bool is_near = found.median_us < (c == replaced ? kFar : kNear);
    if (may_be_faster || (is_near && !is_compared)) which.push_back(c);
  }
  return which;
}

std::int64_t search(std::span<const TuningTask> tasks, std::span<Standing> standings,
                    const SearchBudget& budget, std::uint64_t seed, const SearchCalls& calls) {
  Search all(tasks, standings, budget, calls);
  for (std::size_t task : shuffled(tasks.size(), seed)) {
    for (std::size_t candidate : unmeasured(all.standing(task))) {
      if (all.may_go_on()) all.measure(task, candidate);
    }
  }
  while (all.may_go_on()) {
    const auto choice = all.most_promising();
    if (!choice) break;
    all.measure(choice->task, choice->candidate);
  }
  return all.spent();
}

}  // namespace octavo
