#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace octavo::cli {
namespace {

TEST(ProgressBar, ShowsTheShareAndTheRate) {
  EXPECT_EQ(bar_text(0, 0), "[------------------------------]   0 %");
  EXPECT_EQ(bar_text(0.5, 12.34), "[###############---------------]  50 %  12.3 items/s");
  EXPECT_EQ(bar_text(7, 0), "[##############################] 100 %");
}

}  // namespace
}  // namespace octavo::cli
