#include "compiler/tune/search.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <random>

#include "compiler/tune/tune.h"

namespace octavo {
namespace {

/// Kernels whose true times are known, measured on a machine with some noise, whose speed changes from round
/// to round.
struct Machine {
  std::map<std::string, double> true_us{};
  double noise = 0.03;
  std::mt19937 random{7};
  double slowest = 1;                   ///< how many times longer everything takes in the slowest round
  std::vector<std::string> sequence{};  ///< every trial, in order
  std::size_t recorded = 0;

  std::vector<Measured> measure(const TuningTask& task, std::span<const std::string> candidates) {
    EXPECT_EQ(recorded, sequence.size()) << "a trial is recorded before the next begins";
    sequence.push_back(task.problem + "/" + candidates.front());
    std::vector<Measured> all(candidates.size());
    std::normal_distribution<double> factor(1.0, noise);
    std::uniform_real_distribution<double> pace(1.0, slowest);
    for (int round = 0; round < 5; ++round) {
      const double slowness = pace(random);
      for (std::size_t c = 0; c < candidates.size(); ++c)
        all[c].us.push_back(true_us.at(candidates[c]) * slowness * std::max(factor(random), 0.5));
    }
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      if (true_us.at(candidates[c]) <= 0) all[c] = {{}, "crashed"};
    }
    return all;
  }
  SearchCalls calls() {
    return {[this](const TuningTask& t, std::span<const std::string> c) { return measure(t, c); },
            [this](const TuningTask&, SearchCalls::Candidates, std::span<const Measured>) { ++recorded; }};
  }
};

std::vector<Standing> fresh(std::span<const TuningTask> tasks) {
  std::vector<Standing> standings;
  for (const TuningTask& task : tasks)
    standings.push_back({std::vector<Standing::Candidate>(task.candidates.size()), {}});
  return standings;
}

TEST(Search, FindsTheFastestCandidateAlthoughTheOrderIsBad) {
  const std::vector<TuningTask> tasks{{"a", 1, 1, {"slow", "slower", "fast", "slowest"}}};
  Machine machine{{{"slow", 20}, {"slower", 40}, {"fast", 10}, {"slowest", 90}}};
  auto standings = fresh(tasks);
  search(tasks, standings, {100}, 1, machine.calls());
  EXPECT_EQ(standings[0].chosen(), 2U);
}

/// Five convolutions of ResNet-50 as `search_bench` timed them on a Sapphire Rapids VM, slow order first.
TEST(Search, ReachesNearlyTheSpeedOfTryingEverything) {
  const std::vector<std::string> rows{"panels", "streamed", "pixels", "avx2", "vnni", "tiles"};
  const std::vector<std::vector<double>> five{{305.7, 312.0, 307.1, 2510, 569, 323.1},
                                              {84.6, 87.7, 88.5, 2073, 407, 85.9},
                                              {82.0, 76.8, 84.9, 2619, 380, 83.9},
                                              {76.2, 69.1, 72.6, 1132, 212, 76.2},
                                              {66.9, 55.8, 70.8, 1076, 212, 67.7}};
  for (unsigned seed = 1; seed <= 40; ++seed) {
    for (const std::vector<double>& us : five) {
      const std::vector<TuningTask> tasks{{"a", 1, 1, rows}};
      Machine machine;
      machine.random.seed(seed);
      machine.slowest = 4;
      for (std::size_t c = 0; c < rows.size(); ++c) machine.true_us[rows[c]] = us[c];
      auto standings = fresh(tasks);
      search(tasks, standings, {40}, seed, machine.calls());
      EXPECT_LE(us[standings[0].chosen()], *std::ranges::min_element(us) / 0.95) << "seed " << seed;
    }
  }
}

/// What is told of a choice must not depend on when its candidates were measured.
TEST(Outcome, ComparesTimesThatWereTakenInTurns) {
  const TuningTask task{"a", 1, 1, {"first", "better"}};
  Standing standing{std::vector<Standing::Candidate>(2), {}};
  const std::size_t first[] = {0}, both[] = {1, 0};
  standing.add(first, std::vector<Measured>{{{70, 70, 70, 70, 70, 70}, ""}});  // the machine is slow
  standing.add(both, std::vector<Measured>{{{9, 9, 9}, ""}, {{10, 10, 10}, ""}});
  const TunedTask told = outcome(task, standing);
  EXPECT_EQ(told.chosen, "better");
  EXPECT_DOUBLE_EQ(told.chosen_us / told.expected_us, 0.9);
}

TEST(Search, KeepsTheFirstCandidateWhereAnotherIsNotFasterBeyondNoise) {
  const std::vector<TuningTask> tasks{{"a", 1, 1, {"default", "same"}}};
  Machine machine{{{"default", 10.0}, {"same", 9.95}}};
  auto standings = fresh(tasks);
  search(tasks, standings, {100}, 1, machine.calls());
  EXPECT_EQ(standings[0].chosen(), 0U);
}

TEST(Search, MeasuresNearTiesAgainUntilItGivesThemUp) {
  const std::vector<TuningTask> tasks{{"a", 1, 1, {"x", "y", "far"}}};
  Machine machine{{{"x", 10.0}, {"y", 10.05}, {"far", 30}}};
  auto standings = fresh(tasks);
  const std::int64_t spent = search(tasks, standings, {1000}, 1, machine.calls());
  const auto &x = standings[0].candidates[0], &y = standings[0].candidates[1],
             &far = standings[0].candidates[2];
  EXPECT_EQ(std::max(x.trials, y.trials), 6);
  EXPECT_LE(far.trials, 2) << "what is far behind is not worth a trial";
  EXPECT_EQ(spent, x.trials + y.trials + far.trials);
}

TEST(Search, SpendsNoMoreThanItsBudget) {
  const std::vector<TuningTask> tasks{{"a", 1, 1, {"x", "y"}}, {"b", 1, 1, {"x", "y"}}};
  for (std::int64_t budget : {0, 1, 3, 7}) {
    Machine machine{{{"x", 10.0}, {"y", 10.0}}};
    auto standings = fresh(tasks);
    EXPECT_EQ(search(tasks, standings, {budget}, 1, machine.calls()), budget);
    EXPECT_EQ(machine.sequence.size(), static_cast<std::size_t>(budget));
  }
  Machine machine{{{"x", 10.0}, {"y", 10.0}}};
  auto standings = fresh(tasks);
  EXPECT_EQ(search(tasks, standings, {100, 0.0}, 1, machine.calls()), 0) << "no time, no trial";
}

TEST(Search, GivesMoreTrialsToWhereMoreTimeMayBeWon) {
  const std::vector<TuningTask> tasks{{"rare", 1, 1, {"x", "y"}}, {"often", 1, 50, {"x", "y"}}};
  Machine machine{{{"x", 10.0}, {"y", 10.0}}};
  auto standings = fresh(tasks);
  search(tasks, standings, {10}, 1, machine.calls());
  EXPECT_GT(standings[1].candidates[1].trials, standings[0].candidates[1].trials);
}

TEST(Search, DoesTheSameForTheSameSeed) {
  const std::vector<TuningTask> tasks{
      {"a", 1, 1, {"x", "y"}}, {"b", 1, 2, {"x", "y"}}, {"c", 1, 3, {"y", "x"}}, {"d", 1, 4, {"x"}}};
  const auto sequence = [&](std::uint64_t seed) {
    Machine machine{{{"x", 10.0}, {"y", 10.1}}};
    auto standings = fresh(tasks);
    search(tasks, standings, {40}, seed, machine.calls());
    return machine.sequence;
  };
  EXPECT_EQ(sequence(3), sequence(3));
  EXPECT_NE(sequence(3), sequence(4));
}

TEST(Search, NeverTakesACandidateThatFailed) {
  const std::vector<TuningTask> tasks{{"a", 1, 1, {"broken", "works", "slow"}}};
  Machine machine{{{"broken", 0}, {"works", 10}, {"slow", 30}}};
  auto standings = fresh(tasks);
  search(tasks, standings, {100}, 1, machine.calls());
  EXPECT_EQ(standings[0].chosen(), 1U);
  EXPECT_EQ(standings[0].candidates[0].trials, 1) << "it is not tried again";
}

TEST(Search, GoesOnWhereAnEarlierRunStopped) {
  const std::vector<TuningTask> tasks{{"a", 1, 1, {"x", "y"}}, {"b", 1, 1, {"x", "y"}}};
  Machine machine{{{"x", 10.0}, {"y", 30.0}}};
  auto standings = fresh(tasks);
  search(tasks, standings, {2}, 1, machine.calls());
  search(tasks, standings, {2}, 1, machine.calls());
  ASSERT_EQ(machine.sequence.size(), 4U);
  EXPECT_NE(machine.sequence[0].front(), machine.sequence[2].front()) << "the other task's turn";
}

TEST(Timing, IsTheMedianAndNotMovedByOneOutlier) {
  const Timing timing = timing_of({10, 11, 10, 900, 9});
  EXPECT_EQ(timing.median_us, 10);
  EXPECT_LT(timing.noise, 0.1);
  EXPECT_EQ(timing_of({4, 6}).median_us, 5);
  EXPECT_EQ(timing_of({4}).noise, 0);
}

}  // namespace
}  // namespace octavo
