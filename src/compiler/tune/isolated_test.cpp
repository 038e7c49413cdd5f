#include "compiler/tune/isolated.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void sleep_us(int us) { std::this_thread::sleep_for(std::chrono::microseconds(us)); }

/// What the name says: a number sleeps so many microseconds.
std::function<void()> run_of(const std::string& name) {
  if (name == "refuses") throw Error(ErrorCode::unsupported, "no such luck");
  if (name == "crashes") {
    return [] {
      std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would end the process in its own way
      std::raise(SIGSEGV);
    };
  }
  if (name == "crashes while prepared") std::raise(SIGILL);
  if (name == "leaves") return [] { ::_exit(3); };
  if (name == "hangs")
    return [] {
      for (;;) sleep_us(1000);
    };
  return [us = std::atoi(name.c_str())] { sleep_us(us); };
}

std::vector<Measured> measure(const std::vector<std::string>& names, double patience = 20) {
  return measure_isolated(
      names, [](const std::string& name) { return ReadyCandidate{run_of(name)}; },
      {.rounds = 3, .block_seconds = 0.001, .clock = TrialClock::wall, .patience_seconds = patience});
}

TEST(MeasureIsolated, TimesEachCandidateInEachRound) {
  const auto all = measure({"1000", "2000"});
  for (const Measured& m : all) {
    EXPECT_THAT(m.us, SizeIs(3));
    EXPECT_THAT(m.error, IsEmpty());
  }
  EXPECT_THAT(all[0].us, Each(Gt(999)));
  EXPECT_THAT(all[1].us, Each(Gt(1999)));
}

TEST(MeasureIsolated, DoesNotTimeWhatComesBeforeARun) {
  int refreshed = 0;  // the child's copy counts there
  const auto all = measure_isolated(
      std::vector<std::string>{"one"},
      [&](const std::string&) {
        const auto run = [&] { sleep_us(refreshed == 0 ? 60000 : 100), refreshed = 0; };
        return ReadyCandidate{run, [&] { sleep_us(10000), ++refreshed; }};
      },
      {.rounds = 3, .block_seconds = 0.001, .clock = TrialClock::wall, .patience_seconds = 20});
  EXPECT_THAT(all[0].us, SizeIs(3));
  EXPECT_LT(*std::ranges::min_element(all[0].us), 10000) << "once before each run, and not timed";
}

TEST(MeasureIsolated, TimesAHopelessCandidateOnce) {
  const auto all = measure({"500", "20000"});
  EXPECT_THAT(all[0].us, SizeIs(3));
  EXPECT_THAT(all[1].us, SizeIs(1));
}

TEST(MeasureIsolated, TellsHowACandidateFailedAndMeasuresTheOthers) {
  const auto all = measure({"crashes", "100", "refuses", "crashes while prepared", "leaves"});
  EXPECT_THAT(all[0].error, AllOf(HasSubstr("crashed with signal 11")));
  EXPECT_THAT(all[2].error, "no such luck");
  EXPECT_THAT(all[3].error, HasSubstr("crashed with signal 4"));
  EXPECT_THAT(all[4].error, HasSubstr("ended the process with code 3"));
  EXPECT_THAT(all[1].us, SizeIs(3));
  for (std::size_t failed : {0, 2, 3, 4}) EXPECT_THAT(all[failed].us, IsEmpty());
}

TEST(MeasureIsolated, GivesUpOnACandidateThatHangs) {
  const auto all = measure({"hangs", "100"}, 0.3);
  EXPECT_THAT(all[0].error, HasSubstr("no answer within 0.3 s"));
  EXPECT_THAT(all[1].us, SizeIs(3));
}

}  // namespace
}  // namespace octavo
