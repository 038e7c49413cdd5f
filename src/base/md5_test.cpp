#include "base/md5.h"

#include "base/testing.h"

namespace octavo {
namespace {

TEST(Md5, IsThatOfTheStandard) {
  const octavo::testing::TemporaryFolder folder;
  octavo::testing::write_file(folder / "a", "");
  EXPECT_EQ(md5_of_file(folder / "a"), "d41d8cd98f00b204e9800998ecf8427e");
  octavo::testing::write_file(folder / "a", "message digest");
  EXPECT_EQ(md5_of_file(folder / "a"), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST(Md5, RefusesWhatIsNoFile) { EXPECT_THROW(md5_of_file("/none"), Error); }

}  // namespace
}  // namespace octavo
