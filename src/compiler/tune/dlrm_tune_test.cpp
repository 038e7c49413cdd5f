#include "compiler/tune/dlrm_tune.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/cpu.h"
#include "base/testing.h"
#include "compiler/tune/known.h"
#include "engine/session/dlrm/testing/models.h"

namespace octavo {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<DlrmData> calibrated_dlrm() {
  auto data = octavo::testing::random_dlrm({});
  octavo::testing::calibrate(data, octavo::testing::random_batch(data->model, 100).view());
  return data;
}

TEST(DlrmTask, HasEveryRowThatRunsHereWithFewerSamplesThanItsOwn) {
  const Dlrm model(calibrated_dlrm());
  const TuningTask task = dlrm_task(model, DlrmPrecision::int8, 2048, 1);
  EXPECT_EQ(task.problem, "dlrm int8 3 tables x 32, 347 rows; 13-64-32, dot, 38-64-32-1, f32");
  EXPECT_EQ(task.batch, 2048);
  DlrmSessionOptions options;
  options.precision = DlrmPrecision::int8;
  EXPECT_EQ(task.candidates.front(), DlrmSession(model, options).kernel());
  if (!implies(usable_isa(), Isa::avx2)) GTEST_SKIP() << "SKIPPED: the reference has no choice";
  EXPECT_THAT(task.candidates, Contains("avx2:32"));
  EXPECT_THAT(task.candidates, Contains("avx2:256"));
  EXPECT_THAT(task.candidates, Not(Contains("avx2:512"))) << "is the row's own number";
  EXPECT_THAT(task.candidates, Each(Not(HasSubstr("reference"))));
}

TEST(DlrmTask, HasNoNumbersThatAThreadsShareDoesNotReach) {
  const Dlrm model(calibrated_dlrm());
  EXPECT_THAT(dlrm_task(model, DlrmPrecision::int8, 1, 1).candidates, Each(Not(HasSubstr(":"))));
  EXPECT_THAT(dlrm_task(model, DlrmPrecision::int8, 128, 4).candidates, Each(Not(HasSubstr(":"))));
}

TEST(TuneDlrm, ChoosesAMeasuredCandidateAndGoesOnWhereTheLogEnds) {
  const octavo::testing::TemporaryFolder folder;
  const auto data = calibrated_dlrm();
  const octavo::testing::OwnedBatch batch = octavo::testing::random_batch(data->model, 300);
  TuneOptions options;
  options.batch = 96;
  options.timekeeping.rounds = 2;
  options.timekeeping.block_seconds = 1e-4;
  options.budget.trials = 2;
  const auto tuned = [&] {
    TuningLog log(folder / "log");
    return tune_dlrm(Dlrm(data), DlrmPrecision::int8, batch.view(), read_tuning_log(folder / "log"), log,
                     options);
  };
  const DlrmTuneResult first = tuned();
  EXPECT_EQ(first.trials, 2);
  EXPECT_GT(first.task.chosen_us, 0);
  EXPECT_EQ(first.choice.arithmetic, "int8");
  EXPECT_EQ(first.choice.isa, isa_name(usable_isa()));
  EXPECT_FALSE(first.choice.kernel.empty());
  EXPECT_EQ(first.choice.batch, 96);
  EXPECT_TRUE(first.notes.empty());
  options.budget.trials = 3;
  EXPECT_EQ(tuned().trials, 3);
  const LoggedTrials logged = read_tuning_log(folder / "log");
  ASSERT_EQ(logged.trials.size(), 3U);
  for (const Trial& trial : logged.trials) {
    EXPECT_EQ(trial.error, "") << trial.kernel;
    EXPECT_EQ(trial.us.size(), 2U);
  }
}

/// Trials of two candidates of a use, made here: the row's own number, then 32 samples in turns with it. The
/// `fast` one is twice as fast.
enum class Fast { own_number, of_32 };
std::vector<Trial> trials_of(const TuningTask& task, int threads, Fast fast) {
  const std::string own = task.candidates.front();
  const Measured of_own{std::vector<double>(5, fast == Fast::own_number ? 10.0 : 20.0), ""};
  const Measured of_32{std::vector<double>(5, fast == Fast::of_32 ? 10.0 : 20.0), ""};
  return {trial_here(task, std::vector{own}, std::vector{of_own}, threads),
          trial_here(task, std::vector{own + ":32", own}, std::vector{of_32, of_own}, threads)};
}

class ApplyLog : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!implies(usable_isa(), Isa::avx2)) GTEST_SKIP() << "SKIPPED: the reference has no choice";
  }
  void log(std::int64_t batch, int threads, Fast fast) {
    const TuningTask task = dlrm_task(model_, DlrmPrecision::int8, batch, threads);
    for (const Trial& trial : trials_of(task, threads, fast)) logged_.trials.push_back(trial);
  }
  [[nodiscard]] DlrmLogged apply(std::int64_t batch, int threads) const {
    TuneOptions options;
    options.batch = batch;
    options.threads = threads;
    return apply_log(model_, logged_, options);
  }
  Dlrm model_{calibrated_dlrm()};
  LoggedTrials logged_;
};

TEST_F(ApplyLog, TakesWhatTheLogTimedOnThisCpuWithoutMeasuring) {
  log(1024, 1, Fast::of_32);
  const DlrmLogged found = apply(1024, 1);
  EXPECT_EQ(found.trials, 2);
  ASSERT_EQ(found.choices.size(), 1U);
  const DlrmTuning& choice = found.choices.front();
  EXPECT_EQ(choice.arithmetic, "int8");
  EXPECT_EQ(choice.isa, isa_name(usable_isa()));
  EXPECT_EQ(choice.samples_per_pass, 32);
  EXPECT_EQ(choice.batch, 1024);
  EXPECT_EQ(choice.measured_us, 10);
  EXPECT_THAT(found.notes, ::testing::ElementsAre(HasSubstr("not tuned: 'dlrm f32 3 tables"),
                                                  HasSubstr("not tuned: 'dlrm bf16 3 tables")));
}

TEST_F(ApplyLog, PrefersAsManyThreadsThenTheNearestBatchAndSaysWhichUseItWas) {
  log(128, 1, Fast::own_number);
  log(1024, 1, Fast::of_32);
  log(256, 2, Fast::own_number);
  const DlrmTuning near_1024 = apply(900, 1).choices.at(0);
  EXPECT_EQ(near_1024.samples_per_pass, 32);
  EXPECT_EQ(near_1024.batch, 1024);
  const DlrmTuning near_128 = apply(1, 1).choices.at(0);
  EXPECT_EQ(near_128.samples_per_pass, 0);
  EXPECT_EQ(near_128.batch, 128);
  const DlrmTuning two_threads = apply(1024, 2).choices.at(0);
  EXPECT_EQ(two_threads.batch, 256);
  EXPECT_EQ(two_threads.threads, 2);
}

TEST_F(ApplyLog, HasNothingFromOtherMachinesModelsOrFailures) {
  log(1024, 1, Fast::of_32);
  log(1024, 1, Fast::of_32);
  log(1024, 1, Fast::of_32);
  for (std::size_t t = 0; t < 2; ++t) {
    logged_.trials[t].cpu = "Another CPU";
    logged_.trials[t + 2].problem = "dlrm int8 another";
    logged_.trials[t + 4].us.clear();
    logged_.trials[t + 4].against_us.clear();
    logged_.trials[t + 4].error = "crashed";
  }
  const DlrmLogged found = apply(1024, 1);
  EXPECT_TRUE(found.choices.empty());
  EXPECT_THAT(found.notes, Contains(HasSubstr("not tuned: 'dlrm int8 3 tables")));
  EXPECT_THAT(found.notes, Contains(HasSubstr("2 trials of the log are of another CPU")));
  EXPECT_THAT(found.notes, Contains("2 trials of the log are of other models"));
}

TEST_F(ApplyLog, SurvivesUsesThatNobodyHas) {
  log(1024, 1, Fast::of_32);
  for (Trial& trial : logged_.trials) trial.batch = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(apply(1, 3).choices.size(), 1U);
}

TEST(TuneDlrm, NeedsDataForABatch) {
  const octavo::testing::TemporaryFolder folder;
  const auto data = calibrated_dlrm();
  const octavo::testing::OwnedBatch batch = octavo::testing::random_batch(data->model, 3);
  TuningLog log(folder / "log");
  TuneOptions options;
  options.batch = 4;
  EXPECT_EQ(octavo::testing::error_of(
                ErrorCode::invalid_argument,
                [&] { tune_dlrm(Dlrm(data), DlrmPrecision::f32, batch.view(), {}, log, options); }),
            "4 samples at once, the data makes 3");
}

}  // namespace
}  // namespace octavo
