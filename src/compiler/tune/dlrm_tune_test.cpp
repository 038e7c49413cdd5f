#include "compiler/tune/dlrm_tune.h"

#include <gmock/gmock.h>

#include "base/cpu.h"
#include "base/testing.h"
#include "engine/session/dlrm/testing/models.h"

namespace octavo {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<DlrmData> calibrated_dlrm() {
  const auto data = octavo::testing::random_dlrm({});
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
