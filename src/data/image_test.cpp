#include "data/image.h"

#include <gtest/gtest.h>

#include <numeric>

namespace octavo {
namespace {

Image numbered(std::int64_t width, std::int64_t height) {
  Image image(width, height);
  std::iota(image.rgb.begin(), image.rgb.end(), std::uint8_t{1});
  return image;
}

TEST(Crop, TakesThePartAsked) {
  const Image image = numbered(4, 3);
  const Image part = crop(image, 1, 1, 2, 2);
  EXPECT_EQ(part.width, 2);
  EXPECT_EQ(part.row(0)[0], image.row(1)[3]);
  EXPECT_EQ(part.row(1)[5], image.row(2)[8]);
}

TEST(Crop, IsBlackOutsideThePicture) {
  const Image image = numbered(2, 2);
  const Image part = crop(image, -1, -1, 4, 4);
  EXPECT_EQ(part.row(0)[3], 0);
  EXPECT_EQ(part.row(1)[2], 0);
  EXPECT_EQ(part.row(1)[3], image.row(0)[0]);
  EXPECT_EQ(part.row(2)[8], image.row(1)[5]);
  EXPECT_EQ(part.row(2)[9], 0);
  EXPECT_EQ(part.row(3)[3], 0);
  for (const std::uint8_t value : crop(image, 5, 5, 2, 2).rgb) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace octavo
