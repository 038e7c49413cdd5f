#include "bench/row_times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "engine/kernels/family.h"
#include "engine/kernels/testing/conformance.h"
#include "octavo/error.h"

namespace octavo::bench {
namespace {

TEST(RowTimes, TimesEveryRowButTheReference) {
  const std::vector<RowTime> times = time_rows("conv2d ic16 ih5 iw5 oc16 residual1 bias=f32", 2, 0, {});
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
  const std::vector<RowTime> times = time_rows("linear m3 ic20 oc7", 1, 0, {});
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

TEST(RowTimes, TimesTheReferenceOfFamiliesWithoutProducts) {
  const std::string dense = "binary dims=9 a_strides=1 b_strides=1 a_batch_stride9 b_batch_stride9";
  const std::vector<std::string> lines{
      "pool c9 ih4 iw4 oh2 ow2 kh2 kw2 sh2 sw2",
      "concat outer3 widths=5,2",
      "concat widths=1,1,1,1,1,1,1,1,1",
      dense,
      dense + " activation=clamp",
      "convert kind=requantize x=u8 y=s8 s30",
      "softmax outer2 count10",
      "unary count10",
      "unary kind=clip count9",
      "copy bytes4 dims=7,5 x_strides=1,7 begin=0,0 count=7,5 x_batch_stride35",
      "reduce x=u8 y=u8 count4",
      "dynamic_quantize count9"};
  std::set<std::string> families{"conv2d", "linear", "matmul", "gather"};
  for (const std::string& line : lines) {
    families.emplace(problem_family(line));
    const std::vector<RowTime> times = time_rows(line, 2, 0, {});
    EXPECT_EQ(times.back().objection, "") << line;
    for (const RowTime& time : times) {
      EXPECT_EQ(time.objection.empty(), time.median_us > 0 && time.bytes_per_second > 0)
          << line << ": " << time.row;
      EXPECT_EQ(time.ops_per_second, 0) << line << ": " << time.row;
    }
  }
  for (const KernelFamily& family : kernel_families())
    EXPECT_TRUE(families.contains(std::string(family.name))) << family.name;
}

TEST(RowTimes, CountsWhatTheBatchMultiplies) {
  const auto operations = [](const std::string& line, std::int64_t batch) {
    for (const RowTime& time : time_rows(line, batch, 0, {}))
      if (time.objection.empty()) return time.ops_per_second * time.median_us * 1e-6;
    return 0.0;
  };
  EXPECT_NEAR(operations("matmul m3 k16 n8", 4), 2.0 * 3 * 16 * 8, 1);
  EXPECT_NEAR(operations("matmul m3 k16 n8 grows=rows", 4), 4 * 2.0 * 3 * 16 * 8, 1);
}

TEST(RowTimes, RefusesAFamilyWithoutABenchmark) {
  EXPECT_THROW(time_rows("gather rows9 indices3", 1, 0, {}), Error);
}

}  // namespace
}  // namespace octavo::bench
