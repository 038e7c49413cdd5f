#include "compiler/tune/tune.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/cpu.h"
#include "base/testing.h"
#include "compiler/tune/step_run.h"
#include "octavo/compile.h"
#include "octavo/error.h"
#include "package/package.h"

namespace octavo {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace fs = std::filesystem;

const Package& shapes_network() {
  static const Package package = [] {
    CompileOptions options;
    options.input_shapes[""] = {3, 32, 32};
    return compile("assets/demo/shapes_resnet.pt", options);
  }();
  return package;
}

TuneOptions quick(std::int64_t trials) {
  TuneOptions options;
  options.batch = 2;
  options.budget.trials = trials;
  options.timekeeping = {
      .rounds = 3, .block_seconds = 0.0002, .clock = TrialClock::thread, .patience_seconds = 20};
  return options;
}

class Tuning : public ::testing::Test {
 protected:
  fs::path path_ = fs::temp_directory_path() / ("octavo_tune_test." + std::to_string(getpid()));
  ~Tuning() override { fs::remove(path_); }
  TuneResult tuned(const TuneOptions& options) const {
    TuningLog log(path_);
    return tune(shapes_network(), read_tuning_log(path_), log, options);
  }
};

Tensor outputs_of(const Package& package, std::int64_t batch) {
  Tensor x(DType::f32, {batch, 3, 32, 32});
  float value = 0;
  for (float& v : x.as<float>()) v = std::sin(value += 0.37F);
  Session session(package);
  session.set_input(package.inputs()[0].name, x.view());
  session.run();
  return Tensor(session.output());
}

TEST_F(Tuning, GivesEveryMeasuredStepAHintWithItsTime) {
  const TuneResult result = tuned(quick(1000));
  for (const Step& step : result.package.data().plan.steps) {
    EXPECT_THAT(step.kernel, Not(IsEmpty())) << step.problem;
    EXPECT_GT(step.measured_us, 0) << step.problem;
  }
  ASSERT_TRUE(result.package.data().plan.tuning);
  EXPECT_EQ(result.package.data().plan.tuning->isa, isa_name(usable_isa()));
  EXPECT_EQ(result.package.data().plan.tuning->trials, result.trials);
  EXPECT_LT(result.trials, 1000) << "it stops when nothing is left to decide";
}

TEST_F(Tuning, ChangesNoOutput) {
  const Tensor before = outputs_of(shapes_network(), 3);
  TuneOptions options = quick(60);
  options.shuffle_candidates = 5;
  const Tensor after = outputs_of(tuned(options).package, 3);
  EXPECT_TRUE(std::ranges::equal(before.as<float>(), after.as<float>()));
}

TEST_F(Tuning, ChoosesHowSessionsRunAndHowManyShareTheThreads) {
  TuneOptions options = quick(1000);
  options.threads = 2;
  const TuneResult result = tuned(options);
  std::set<std::string> of_sessions, of_instances;
  for (const Trial& trial : read_tuning_log(path_).trials) {
    if (trial.problem.starts_with("session ")) of_sessions.insert(trial.kernel);
    if (trial.problem.starts_with("instances ")) of_instances.insert(trial.kernel);
  }
  EXPECT_THAT(of_sessions, ::testing::IsSupersetOf({"default", "images=1", "row_bands=4", "l2_kib=768"}));
  EXPECT_THAT(of_instances, ::testing::ElementsAre("1x2", "2x1"));
  const Plan& plan = result.package.data().plan;
  EXPECT_EQ(plan.tuning->threads, 2);
  EXPECT_THAT(plan.tuning->instances, ::testing::AnyOf(1, 2));
  EXPECT_EQ(plan_json(parse_plan(plan_json(plan))), plan_json(plan));
}

TEST_F(Tuning, SpendsOnlyWhatAnEarlierRunLeft) {
  EXPECT_EQ(tuned(quick(7)).trials, 7);
  EXPECT_EQ(read_tuning_log(path_).trials.size(), 7U);
  EXPECT_EQ(tuned(quick(10)).trials, 10);
  EXPECT_EQ(read_tuning_log(path_).trials.size(), 10U);
  EXPECT_EQ(tuned(quick(10)).trials, 10);
  EXPECT_EQ(read_tuning_log(path_).trials.size(), 10U) << "nothing was left";
}

TEST_F(Tuning, AppliesALogWithoutMeasuring) {
  const TuneResult measured = tuned(quick(1000));
  const TuneResult applied = apply_log(shapes_network(), read_tuning_log(path_), quick(1));
  EXPECT_EQ(plan_json(applied.package.data().plan), plan_json(measured.package.data().plan));
  EXPECT_THAT(applied.notes, Not(Contains(HasSubstr("not tuned"))));
  TuneOptions other_use = quick(1);
  other_use.batch = 1;
  const TuneResult nearest = apply_log(shapes_network(), read_tuning_log(path_), other_use);
  EXPECT_THAT(nearest.notes, Not(Contains(HasSubstr("not tuned")))) << "the nearest batch serves";
}

TEST_F(Tuning, NamesTheStepsThatALogSaysNothingOf) {
  tuned(quick(3));
  const TuneResult applied = apply_log(shapes_network(), read_tuning_log(path_), quick(1));
  EXPECT_THAT(applied.notes, Contains(HasSubstr("not tuned: 'conv2d")));
}

TEST_F(Tuning, LeavesAsideTrialsOfOtherVersionsMachinesAndModels) {
  tuned(quick(3));
  LoggedTrials logged = read_tuning_log(path_);
  logged.trials[0].version = "0.0.1";
  logged.trials[1].cpu = "Another CPU";
  logged.trials[2].problem = "conv2d of another model";
  logged.damaged_lines = {17, 18};
  const TuneResult applied = apply_log(shapes_network(), logged, quick(1));
  EXPECT_EQ(applied.trials, 0);
  EXPECT_THAT(applied.notes, Contains(HasSubstr("1 trials of the log are of another version")));
  EXPECT_THAT(applied.notes, Contains(HasSubstr("1 trials of the log are of another CPU")));
  EXPECT_THAT(applied.notes, Contains(HasSubstr("1 trials of the log are of other models")));
  EXPECT_THAT(applied.notes, Contains(HasSubstr("line 17 and 1 more are no trial")));
}

TEST_F(Tuning, SaysWhichKernelFailedAndDoesWithoutIt) {
  tuned(quick(1000));
  LoggedTrials logged = read_tuning_log(path_);
  const std::string problem = logged.trials[0].problem;
  const std::string kernel = logged.trials[0].kernel;
  Trial failed = logged.trials[0];
  failed.us.clear();
  failed.error = "crashed with signal 11";
  logged.trials.push_back(failed);
  const TuneResult applied = apply_log(shapes_network(), logged, quick(1));
  EXPECT_THAT(applied.notes,
              Contains("kernel " + kernel + " failed for '" + problem + "' and is not used there"));
  for (const TunedTask& task : applied.tasks) {
    if (task.problem != problem || task.batch != failed.batch || task.chosen_us <= 0) continue;
    EXPECT_NE(task.chosen, kernel);
  }
}

TEST(Hints, OfAnotherInstructionSetAreNotFollowed) {
  Plan plan = shapes_network().data().plan;
  for (Step& step : plan.steps) step.kernel = "reference";
  plan.tuning = octavo::Tuning{"Another CPU", "none", 1, 3};
  const auto kernels = [](const Package& package) {
    std::vector<std::string> names;
    for (const StepInfo& step : Session(package).steps()) names.push_back(step.kernel);
    return names;
  };
  EXPECT_EQ(kernels(with_plan(shapes_network(), plan)), kernels(shapes_network()));
  plan.tuning->isa = isa_name(usable_isa());
  EXPECT_THAT(kernels(with_plan(shapes_network(), plan)), ::testing::Each("reference"));
}

TEST(Hints, FromADamagedPlanAreRefused) {
  Plan plan = shapes_network().data().plan;
  plan.tuning = octavo::Tuning{"A CPU", "avx2", 1, -3};
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_model, [&] { parse_plan(plan_json(plan)); }),
              HasSubstr("images_per_pass -3"));
  plan.tuning = octavo::Tuning{"A CPU", "avx2", 1, {}, 2, 3};
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_model, [&] { parse_plan(plan_json(plan)); }),
              HasSubstr("2 instances of 3 threads"));
  auto data = std::make_shared<PackageData>();
  data->plan = shapes_network().data().plan;
  data->weights = shapes_network().data().weights;
  data->manifest = R"({"source": 7})";
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_model, [&] { with_plan(Package(data), data->plan); }),
              HasSubstr("manifest.json"));
}

TEST(StepRun, RefusesAKernelThatIsNotThere) {
  const PackageData& data = shapes_network().data();
  EXPECT_THAT(testing::error_of(ErrorCode::invalid_argument,
                                [&] { step_run(data, data.plan.steps.front(), "nope", 1, 1); }),
              HasSubstr("no kernel 'nope'"));
}

}  // namespace
}  // namespace octavo
