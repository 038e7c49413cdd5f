#include "cli/progress.h"

#include <gtest/gtest.h>

namespace octavo::cli {
namespace {

TEST(ProgressText, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_text(3'000'000'000, 12'000'000'000, 10),
            "3.0 GB of 12.0 GB (25 %), 300.0 MB/s, 30 s left");
  EXPECT_EQ(progress_text(1'000'000, 100'000'000, 1), "1.0 MB of 100.0 MB (1 %), 1.0 MB/s, 1 min 39 s left");
  EXPECT_EQ(progress_text(1'000'000, 10'000'000'000, 1),
            "1.0 MB of 10.0 GB (0 %), 1.0 MB/s, 2 h 46 min left");
}

TEST(ProgressText, CountsForTheRateOnlyWhatThisRunDid) {
  EXPECT_EQ(progress_text(6'000'000, 10'000'000, 2, 4'000'000),
            "6.0 MB of 10.0 MB (60 %), 1.0 MB/s, 4 s left");
}

TEST(ProgressText, SaysNoMoreThanIsKnown) {
  EXPECT_EQ(progress_text(0, 10, 0), "0 B of 10 B (0 %)");
  EXPECT_EQ(progress_text(5'000, 0, 1), "5.0 kB, 5.0 kB/s");
}

}  // namespace
}  // namespace octavo::cli
