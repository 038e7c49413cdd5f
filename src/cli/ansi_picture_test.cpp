#include "cli/ansi_picture.h"

#include <gmock/gmock.h>

namespace octavo::cli {
namespace {

using ::testing::ElementsAre;

Image counting(std::int64_t width, std::int64_t height) {
  Image image(width, height);
  for (std::size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = static_cast<std::uint8_t>(i);
  return image;
}

TEST(AnsiPicture, ShowsTwoPixelsACharacter) {
  EXPECT_THAT(ansi_lines(counting(1, 2)), ElementsAre("\x1b[38;2;0;1;2m\x1b[48;2;3;4;5m▀\x1b[0m"));
}

TEST(AnsiPicture, LeavesTheGroundUnderAnOddLastRow) {
  EXPECT_THAT(ansi_lines(counting(1, 3)),
              ElementsAre("\x1b[38;2;0;1;2m\x1b[48;2;3;4;5m▀\x1b[0m", "\x1b[38;2;6;7;8m▀\x1b[0m"));
}

TEST(AnsiPicture, HalvesByTheMeanOfFourPixels) {
  const Image half = halved(counting(3, 2));
  EXPECT_EQ(half.width, 1);
  EXPECT_EQ(half.height, 1);
  // Red of the four pixels: 0, 3, 9, 12; the third column is dropped.
  EXPECT_THAT(half.rgb, ElementsAre(6, 7, 8));
}

}  // namespace
}  // namespace octavo::cli
