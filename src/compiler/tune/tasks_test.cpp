#include "compiler/tune/tasks.h"

#include <gtest/gtest.h>

namespace octavo {
namespace {

TEST(PassText, SaysWhatDiffersFromTheDefault) {
  EXPECT_EQ(pass_text({}), "default");
  EXPECT_EQ(pass_text({.images = 4, .row_bands = 7, .l2_kib = 768}), "images=4 row_bands=7 l2_kib=768");
  for (const PassShape& pass : {PassShape{}, PassShape{.images = 2}, PassShape{.images = 1, .l2_kib = 10},
                                PassShape{.row_bands = 14}, PassShape{3, 2, 1}}) {
    const PassShape back = parse_pass(pass_text(pass));
    EXPECT_EQ(back.images, pass.images);
    EXPECT_EQ(back.row_bands, pass.row_bands);
    EXPECT_EQ(back.l2_kib, pass.l2_kib);
  }
}

TEST(InstancesTask, DividesTheThreadsEvenly) {
  EXPECT_TRUE(instances_task(Plan{}, 1, 1).candidates.empty());
  EXPECT_EQ(instances_task(Plan{}, 1, 6).candidates, (std::vector<std::string>{"1x6", "2x3", "3x2", "6x1"}));
  EXPECT_EQ(parse_instances("3x2"), 3);
}

}  // namespace
}  // namespace octavo
