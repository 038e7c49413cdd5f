#include "bench/row_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "engine/kernels/family.h"
#include "engine/kernels/testing/conformance.h"
#include "octavo/error.h"

namespace octavo::bench {
namespace {

TEST(RowTimes, TimesEveryRowButTheReference) {
  const std::vector<RowTime> times = time_rows("conv2d ic16 ih5 iw5 oc16 residual1 bias=f32", 2, 0);
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(times.back().row, "reference");
  EXPECT_EQ(times.back().objection, "is not timed");
  for (const RowTime& time : times) {
    EXPECT_EQ(time.objection.empty(),
              time.median_us > 0 && time.ops_per_second > 0 && time.bytes_per_second > 0)
        << time.row;
    EXPECT_LE(time.best_us, time.median_us) << time.row;
  }
}

TEST(RowTimes, TimesLinearLayersToo) {
  const std::vector<RowTime> times = time_rows("linear m3 ic20 oc7", 1, 0);
  EXPECT_TRUE(std::any_of(times.begin(), times.end(), [](const RowTime& t) { return !t.objection.empty(); }));
}

TEST(RowTimes, TheProblemFilesHoldNothingElse) {
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator("bench/problems")) {
    ++files;
    for (const std::string& line : testing::problems_in(file.path())) {
      const KernelFamily& family = family_of(line);
      EXPECT_NO_THROW(family.canonical(line)) << file.path() << ": " << line;
      EXPECT_TRUE(family.name == "conv2d" || family.name == "linear") << file.path() << ": " << line;
    }
  }
  EXPECT_EQ(files, 6U);
}

TEST(RowTimes, RefusesAFamilyWithoutABenchmark) {
  EXPECT_THROW(time_rows("softmax outer3 extent4", 1, 0), Error);
}

}  // namespace
}  // namespace octavo::bench
