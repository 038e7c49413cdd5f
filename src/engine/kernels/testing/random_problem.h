#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

#include "engine/kernels/problem_text.h"
#include "engine/kernels/testing/conformance.h"
#include "engine/kernels/testing/random_step.h"
#include "octavo/error.h"

namespace octavo::testing {

/// What random problems are drawn from.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  std::int64_t between(std::int64_t lowest, std::int64_t highest) {
    return std::uniform_int_distribution<std::int64_t>(lowest, highest)(random_);
  }
  bool one_in(int times) { return between(1, times) == 1; }
  template <class T>
  T of(std::initializer_list<T> values) {
    return values.begin()[between(0, std::ssize(values) - 1)];
  }
  /// Small, about the size of one or two vectors, or any up to `most`.
  std::int64_t channels(std::int64_t most) {
    const std::int64_t any = between(1, most);
    return std::min(most,
                    of({any, any, between(1, 5), 16 * between(1, 4), 16 * between(1, 4) + of({-1, 1})}));
  }

 private:
  Random random_;
};

/// Where the seeds of random problems begin: OCTAVO_TEST_SEED, or 1.
inline std::uint64_t first_seed() {
  const char* const text = std::getenv("OCTAVO_TEST_SEED");
  return text == nullptr ? 1 : std::stoull(text);
}

/// Says on stderr, should the process die meanwhile, what it was doing: GoogleTest's traces are lost then.
/// Those who handled the signals before (sanitizers) do so afterwards.
class LastWords {
 public:
  explicit LastWords(std::string words) {
    said() = std::move(words) + "\n";
    struct sigaction action = {};
    action.sa_handler = say;
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before()[i]);
  }
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;
  ~LastWords() { restore(); }

 private:
  static constexpr std::array<int, 5> kSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  static std::string& said() {
    static std::string words;
    return words;
  }
  static std::array<struct sigaction, kSignals.size()>& before() {
    static std::array<struct sigaction, kSignals.size()> actions;
    return actions;
  }
  static void restore() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before()[i], nullptr);
  }
  /// What raised the signal raises it again when this returns.
  static void say(int signal) {
    [[maybe_unused]] const auto written = write(STDERR_FILENO, said().data(), said().size());
    restore();
    if (signal == SIGABRT) std::raise(signal);
  }
};

/// Calls test(line, seed) with the problems that `make(draw)` makes of `count` seeds; one that is no Problem,
/// or that fits(problem) says no to, is drawn again. What fails is said with its seed.
template <class Problem, class Make, class Fits, class Test>
void for_random_problems(int count, const Make& make, const Fits& fits, const Test& test) {
  const auto is_one = [&](const Problem& problem) {
    try {
      problem.check();
    } catch (const Error&) {
      return false;
    }
    return fits(problem);
  };
  for (std::uint64_t seed = first_seed(); seed < first_seed() + static_cast<std::uint64_t>(count); ++seed) {
    Draw draw(seed);
    Problem problem = make(draw);
    int tries = 1;
    for (; tries < 1000 && !is_one(problem); ++tries) problem = make(draw);
    ASSERT_LT(tries, 1000) << "no problem of seed " << seed << " fits";
    const std::string line = problem_text_of(problem), trace = "OCTAVO_TEST_SEED=" + std::to_string(seed);
    SCOPED_TRACE(trace);
    const LastWords words(trace + ": " + line);
    try {
      test(line, static_cast<int>(seed % 1'000'000));
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what() << "\n  " << line;
    }
    if (::testing::Test::HasFailure()) return;
  }
}

/// Checks with expect_rows_equal_the_reference the problems that `make(draw)` makes of `count` seeds.
template <class Problem, class Make>
void expect_random_problems_conform(std::span<const KernelRow<Problem>> table, int count, const Make& make,
                                    const std::function<StepSpec(const Problem&, Random&)>& spec_of) {
  for_random_problems<Problem>(
      count, make, [](const Problem&) { return true; },
      [&](const std::string& line, int seed) {
        expect_rows_equal_the_reference<Problem>(table, parse_problem<Problem>(line), spec_of,
                                                 static_cast<std::uint64_t>(seed));
      });
}

}  // namespace octavo::testing
