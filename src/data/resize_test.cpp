#include "data/resize.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::kFixtures;
using ::octavo::testing::noise;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Image noisy(std::int64_t width, std::int64_t height) {
  Image image(width, height);
  image.rgb = noise(image.rgb.size());
  return image;
}

/// A picture one row high whose three channels are equal.
Image gray_row(const std::vector<std::uint8_t>& values) {
  Image image(static_cast<std::int64_t>(values.size()), 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    std::fill_n(image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, values[i]);
  return image;
}

std::vector<int> reds(const Image& image) {
  std::vector<int> values;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) values.push_back(image.rgb[i]);
  return values;
}

TEST(ResizeBilinear, EqualsPillowAtEveryPairOfSizes) {
  const auto expected = nlohmann::json::parse(std::ifstream(kFixtures / "expected.json")).at("resizes");
  EXPECT_EQ(expected.size(), 45U);
  for (const auto& entry : expected) {
    const Image image = noisy(entry.at("src").at(0), entry.at("src").at(1));
    const Image small = resize_bilinear(image, entry.at("dst").at(0), entry.at("dst").at(1));
    EXPECT_EQ(sha256_hex(std::as_bytes(std::span(small.rgb))), entry.at("sha256")) << entry;
  }
}

TEST(ResizeBilinear, KeepsAPictureOfTheRightSize) {
  const Image image = noisy(9, 5);
  EXPECT_EQ(resize_bilinear(image, 9, 5).rgb, image.rgb);
}

TEST(ResizeArea, TakesTheMeanOfTheAreaCovered) {
  EXPECT_THAT(reds(resize_area(gray_row({10, 20, 30, 50}), 2, 1)), ElementsAre(15, 40));
  // Three pixels to two: each covers one and a half.
  EXPECT_THAT(reds(resize_area(gray_row({30, 60, 90}), 2, 1)), ElementsAre(40, 80));
  // Two to three: each covers two thirds of one, the middle one third of both.
  EXPECT_THAT(reds(resize_area(gray_row({30, 90}), 3, 1)), ElementsAre(30, 60, 90));
}

TEST(ResizeArea, RoundsHalfToEven) {
  EXPECT_THAT(reds(resize_area(gray_row({0, 1, 1, 2, 254, 255}), 3, 1)), ElementsAre(0, 2, 254));
}

TEST(ResizeArea, KeepsAFlatPictureFlat) {
  const Image flat = [] {
    Image image(101, 57);
    std::fill(image.rgb.begin(), image.rgb.end(), std::uint8_t{201});
    return image;
  }();
  for (const std::uint8_t value : resize_area(flat, 37, 23).rgb) ASSERT_EQ(value, 201);
}

TEST(ResizeArea, WorksDownwardsAsItWorksAcross) {
  Image column(1, 4);
  column.rgb = {10, 10, 10, 20, 20, 20, 30, 30, 30, 50, 50, 50};
  EXPECT_THAT(reds(resize_area(column, 1, 2)), ElementsAre(15, 40));
}

TEST(Resize, RefusesSizesThatNoPictureHas) {
  const Image image = noisy(4, 4);
  for (const auto resize : {resize_bilinear, resize_area}) {
    EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { resize(image, 0, 5); }), HasSubstr("0 x 5"));
    EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { resize(image, 1 << 30, 1 << 30); }),
                HasSubstr("1073741824"));
    EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { resize(Image(), 5, 5); }), HasSubstr("empty"));
  }
}

}  // namespace
}  // namespace octavo
