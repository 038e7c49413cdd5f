#include "compiler/tune/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "base/testing.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class TuningLogs : public ::testing::Test {
 protected:
  fs::path path_ = fs::temp_directory_path() / ("octavo_log_test." + std::to_string(getpid()));
  ~TuningLogs() override { fs::remove_all(path_); }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void append(const std::string& more) const { std::ofstream(path_, std::ios::app) << more; }
};

Trial trial(const std::string& kernel) {
  return {"0.1.0", "a \"CPU\"", "avx2", "conv2d ic3", 4, 2, kernel, {1.5, 2.25}, "", 1234, "other", {3, 4}};
}

TEST_F(TuningLogs, GiveBackWhatWasAdded) {
  {
    TuningLog log(path_);
    log.add(trial("one"));
    Trial failed = trial("two");
    failed.us.clear();
    failed.error = "crashed \xff";  // no UTF-8
    log.add(failed);
  }
  const LoggedTrials logged = read_tuning_log(path_);
  ASSERT_THAT(logged.trials, SizeIs(2));
  EXPECT_THAT(logged.damaged_lines, IsEmpty());
  const Trial& first = logged.trials[0];
  EXPECT_EQ(trial_line(first), trial_line(trial("one")));
  EXPECT_THAT(first.us, ElementsAre(1.5, 2.25));
  EXPECT_EQ(first.cpu, "a \"CPU\"");
  EXPECT_EQ(first.against, "other");
  EXPECT_THAT(first.against_us, ElementsAre(3, 4));
  EXPECT_THAT(logged.trials[1].error, HasSubstr("crashed"));
}

TEST_F(TuningLogs, AreEmptyWhereThereIsNoFile) { EXPECT_THAT(read_tuning_log(path_).trials, IsEmpty()); }

TEST_F(TuningLogs, SkipDamagedLinesAndKeepThem) {
  { TuningLog(path_).add(trial("one")); }
  append("rubbish\n\n{\"version\":1}\n" + std::string(100000, '[') + "\n");
  { TuningLog(path_).add(trial("two")); }
  const LoggedTrials logged = read_tuning_log(path_);
  EXPECT_THAT(logged.trials, SizeIs(2));
  EXPECT_THAT(logged.damaged_lines, ElementsAre(2, 4, 5));
  EXPECT_THAT(text(), HasSubstr("rubbish\n"));
}

TEST_F(TuningLogs, LoseNoMoreThanTheLineThatWasBeingWritten) {
  { TuningLog(path_).add(trial("one")); }
  const std::string line = trial_line(trial("two"));
  const std::string whole = text();
  for (std::size_t size = 1; size < line.size(); size += 7) {
    fs::remove(path_);
    append(whole + line.substr(0, size));
    { TuningLog(path_).add(trial("three")); }
    const LoggedTrials logged = read_tuning_log(path_);
    ASSERT_THAT(logged.trials, SizeIs(2)) << size;
    EXPECT_EQ(logged.trials[1].kernel, "three");
    EXPECT_THAT(logged.damaged_lines, ElementsAre(2));
  }
}

TEST_F(TuningLogs, CountALineThatStandsThereTwiceOnce) {
  { TuningLog(path_).add(trial("one")); }
  append(text());
  EXPECT_THAT(read_tuning_log(path_).trials, SizeIs(1));
}

TEST_F(TuningLogs, AreWrittenByOneProcessAtATime) {
  const TuningLog log(path_);
  EXPECT_THAT(testing::error_of(ErrorCode::io, [&] { TuningLog second(path_); }),
              HasSubstr("another process"));
}

TEST_F(TuningLogs, SayWhyTheyCannotBeUsed) {
  EXPECT_THAT(testing::error_of(ErrorCode::io, [] { TuningLog log("/nowhere/log"); }),
              HasSubstr("/nowhere/log"));
  EXPECT_THAT(testing::error_of(ErrorCode::io, [] { read_tuning_log("/proc"); }), HasSubstr("is no file"));
  if (fs::exists("/dev/full")) {
    TuningLog full("/dev/full");
    EXPECT_THAT(testing::error_of(ErrorCode::io, [&] { full.add(trial("one")); }), HasSubstr("/dev/full"));
  }
}

TEST(TrialLine, RefusesWhatMakesNoSense) {
  const auto refusal = [](const std::string& from, const std::string& to) {
    std::string line = trial_line(trial("one"));
    line.replace(line.find(from), from.size(), to);
    return testing::error_of(ErrorCode::invalid_model, [&] { parse_trial(line); });
  };
  EXPECT_THAT(refusal("[1.5,2.25]", "[]"), HasSubstr("one of both"));
  EXPECT_THAT(refusal("[1.5,2.25]", "[0.0]"), HasSubstr("a time that is none"));
  EXPECT_THAT(refusal("[1.5,2.25]", "[-1]"), HasSubstr("a time that is none"));
  EXPECT_THAT(refusal("[3.0,4.0]", "[3.0,0.0]"), HasSubstr("a time that is none"));
  EXPECT_THAT(refusal("\"batch\":4", "\"batch\":0"), HasSubstr("batch 0"));
  EXPECT_THAT(refusal("\"threads\":2", "\"threads\":-2"), HasSubstr("-2 threads"));
  EXPECT_THAT(refusal("\"kernel\":", "\"colonel\":"), HasSubstr("kernel"));
}

}  // namespace
}  // namespace octavo
