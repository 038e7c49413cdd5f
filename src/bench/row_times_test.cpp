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

TEST(RowTimes, TimesEveryRowOfFamiliesWithoutProducts) {
  for (const char* line : {"pool c9 ih4 iw4 oh2 ow2 kh2 kw2 sh2 sw2", "concat outer3 widths=5,2",
                           "binary dims=9 a_strides=1 b_strides=1 a_batch_stride9 b_batch_stride9",
                           "convert kind=requantize x=u8 y=s8 s30", "softmax outer2 count10"}) {
    for (const RowTime& time : time_rows(line, 2, 0)) {
      EXPECT_EQ(time.objection.empty(), time.median_us > 0 && time.bytes_per_second > 0) << time.row;
      EXPECT_EQ(time.ops_per_second, 0) << time.row;
    }
  }
  EXPECT_GT(time_rows("matmul m3 k16 n8", 1, 0).front().ops_per_second, 0);
}

TEST(RowTimes, RefusesAFamilyWithoutABenchmark) {
  EXPECT_THROW(time_rows("gather rows9 indices3", 1, 0), Error);
}

}  // namespace
}  // namespace octavo::bench
