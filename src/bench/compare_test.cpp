#include "bench/compare.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/testing.h"
#include "bench/peers/shared_library.h"
#include "bench/testing/pretended.h"

namespace octavo::bench {
namespace {

using ::testing::HasSubstr;

TEST(Compare, GivesTheRatioOfWhatWasMeasuredInTurns) {
  const Instances ours = pretended(1, {.run_us = 2000, .sleeps = true});
  const Instances theirs = pretended(1, {.run_us = 20'000, .sleeps = true});
  const Comparison result = compare(ours, theirs, 2, 3, 0.05, {});
  ASSERT_EQ(result.ours.size(), 3U);
  ASSERT_EQ(result.theirs.size(), 3U);
  EXPECT_EQ(result.batch, 2);
  EXPECT_GT(result.ratio().median, 1);
  EXPECT_LE(result.ratio().least, result.ratio().median);
  EXPECT_GE(result.ratio().most, result.ratio().median);
  EXPECT_GE(result.theirs_p50_ms, 20.0);
  EXPECT_FALSE(result.was_stopped);
}

TEST(Compare, CountsWhatEachSideComputesForAnItem) {
  const Instances computes = pretended(1, {.run_us = 2000});
  const Instances sleeps = pretended(1, {.run_us = 2000, .sleeps = true});
  const Comparison result = compare(computes, sleeps, 2, 2, 0.05, {});
  EXPECT_GT(result.ours_cpu_us, 2 * result.theirs_cpu_us);
  EXPECT_EQ(json_of(result).at("ours_cpu_us_per_item"), result.ours_cpu_us);
}

TEST(Compare, StopsWhenAskedAndLeavesOutTheRoundThatWasCut) {
  std::atomic<bool> stop{false};
  const Instances ours = pretended(1, {.run_us = 500, .stop_at = 60, .stop = &stop});
  const Comparison result = compare(ours, pretended(1, {.run_us = 500}), 1, 1000, 0.01, {.stop = &stop});
  EXPECT_TRUE(result.was_stopped);
  EXPECT_EQ(result.ours.size(), result.theirs.size());
  EXPECT_LT(result.ours.size(), 1000U);
  EXPECT_EQ(Comparison().ratio().median, 0) << "of no round at all";
}

TEST(Compare, ComparesOutputs) {
  Comparison result;
  compare_outputs(result, {1, -5, 2}, {1, -4.5F, 2});
  EXPECT_EQ(result.largest_difference, 0.5);
  EXPECT_EQ(result.largest_output, 5);
  EXPECT_THAT(comparison_line(result), HasSubstr("0.5 of 5"));
  EXPECT_EQ(json_of(result).at("largest_difference"), 0.5);
  for (const std::vector<float>& theirs : {std::vector<float>{}, {1}}) {
    compare_outputs(result, {1, 2}, theirs);
    EXPECT_TRUE(std::isnan(result.largest_difference));
    EXPECT_THAT(comparison_line(result), HasSubstr("not comparable"));
    EXPECT_FALSE(json_of(result).contains("largest_difference"));
  }
}

TEST(SharedLibrary, NamesWhatIsNotThere) {
  EXPECT_THAT(testing::error_of(ErrorCode::io, [] { SharedLibrary("/no/such/library.so"); }),
              HasSubstr("/no/such/library.so"));
  const SharedLibrary libc("libc.so.6");
  EXPECT_EQ(libc.function<int (*)(int)>("abs")(-3), 3);
  EXPECT_THAT(testing::error_of(ErrorCode::unsupported,
                                [&] { static_cast<void>(libc.function<void (*)()>("no_such_function")); }),
              HasSubstr("'no_such_function'"));
}

TEST(SharedLibrary, IsFoundWhereItIsSaidToBeElseTheMessageTellsHowToInstallIt) {
  const LibraryPlaces places{"Some Peer", "OCTAVO_SOME_PEER", "libsomepeer.so", "some/libs", "somepeer"};
  EXPECT_EQ(find_library(places, "/a/b.so"), "/a/b.so");
  const testing::TemporaryFolder folder;
  unsetenv("OCTAVO_SOME_PEER");
  setenv("VIRTUAL_ENV", folder.path().c_str(), 1);
  EXPECT_THAT(testing::error_of(ErrorCode::io, [&] { find_library(places, ""); }),
              ::testing::AllOf(HasSubstr("Some Peer is not installed"), HasSubstr("pip install somepeer"),
                               HasSubstr("OCTAVO_SOME_PEER")));
  const auto in_wheel = folder / "lib/python3.11/site-packages/some/libs/libsomepeer.so.7";
  testing::write_file(in_wheel, "");
  EXPECT_EQ(find_library(places, ""), in_wheel);
  setenv("OCTAVO_SOME_PEER", "/from/environment.so", 1);
  EXPECT_EQ(find_library(places, ""), "/from/environment.so");
  unsetenv("OCTAVO_SOME_PEER");
  unsetenv("VIRTUAL_ENV");
}

}  // namespace
}  // namespace octavo::bench
