#include "data/preprocess.h"

#include <gmock/gmock.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "base/testing.h"
#include "data/decode.h"
#include "data/npz.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::noise;
using ::octavo::testing::test_data;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Image noisy(std::int64_t width, std::int64_t height) {
  Image image(width, height);
  image.rgb = noise(image.rgb.size());
  return image;
}

TEST(Preprocess, TheRecordedCropsOfAllPhotosAreEqual) {
  OCTAVO_NEED_TEST_DATA();
  const Recipe& recipe = find_recipe("torchvision-imagenet");
  const auto expected = nlohmann::json::parse(std::ifstream(test_data() / "reference/crops.json"));
  EXPECT_EQ(expected.size(), 200U);
  for (const auto& [name, photo] : expected.items()) {
    const Image part = resize_and_crop(recipe, read_image(test_data() / "photos" / name), 224, 224);
    EXPECT_EQ(sha256_hex(std::as_bytes(std::span(part.rgb))), photo.at("crop_sha256")) << name;
  }
}

TEST(Preprocess, TheFirstCropsAreEqualByteForByte) {
  OCTAVO_NEED_TEST_DATA();
  const NpzReader crops(test_data() / "reference/crops_first4.npz");
  EXPECT_EQ(crops.names().size(), 4U);
  for (const std::string& name : crops.names()) {
    const Tensor expected = crops.tensor(name);
    const Image photo = read_image(test_data() / "photos" / name);
    const Image part = resize_and_crop(find_recipe("torchvision-imagenet"), photo, 224, 224);
    ASSERT_EQ(expected.elements(), static_cast<std::int64_t>(part.rgb.size()));
    EXPECT_EQ(std::memcmp(part.rgb.data(), expected.data(), part.rgb.size()), 0) << name;
  }
}

TEST(Preprocess, TheRecordedInputIsEqualBitForBit) {
  OCTAVO_NEED_TEST_DATA();
  const Tensor expected = NpzReader(test_data() / "reference/input_first1.npz").tensor("x");
  const Image photo = read_image(test_data() / "photos/000_n01440764_tench.JPEG");
  const Tensor input = preprocess(find_recipe("torchvision-imagenet"), photo, 224, 224);
  ASSERT_EQ(input.shape(), expected.shape());
  EXPECT_EQ(std::memcmp(input.data(), expected.data(), static_cast<std::size_t>(input.bytes())), 0);
}

TEST(Preprocess, CropsInTheMiddleWithOffsetsRoundedHalfToEven) {
  // A short side of 8 is kept for a crop of 7: 8 = 7 * 256 / 224. The rest of 1 gives an offset of 0.5, so 0.
  const Image image = noisy(8, 11);
  const Image part = resize_and_crop(find_recipe("torchvision-imagenet"), image, 7, 7);
  EXPECT_EQ(part.row(0)[0], image.row(2)[0]) << "rows: a rest of 4 gives 2";
  EXPECT_EQ(part.row(6)[20], image.row(8)[20]);
  // Rest 3, offset 1.5: half to even gives 2 where rounding down gives 1.
  EXPECT_EQ(resize_and_crop(find_recipe("torchvision-imagenet"), noisy(8, 10), 7, 7).row(0)[0],
            noisy(8, 10).row(2)[0]);
  EXPECT_EQ(resize_and_crop(find_recipe("tf-imagenet"), noisy(8, 10), 7, 7).row(0)[0],
            noisy(8, 10).row(1)[0]);
}

TEST(Preprocess, WorksAtOtherInputSizes) {
  // 299 * 256 / 224 = 341.7: a picture with a short side of 341 is cropped as it is; its rest of 42 gives 21.
  const Image image = noisy(400, 341);
  const Image part = resize_and_crop(find_recipe("torchvision-imagenet"), image, 299, 299);
  EXPECT_EQ(part.width, 299);
  EXPECT_EQ(part.row(0)[0], image.row(21)[3 * 50]) << "columns: a rest of 101 gives 50.5, so 50";
}

TEST(Preprocess, CifarPicturesAreOnlyNormalized) {
  const Image image = noisy(32, 32);
  const Tensor input = preprocess(find_recipe("cifar10"), image, 32, 32);
  EXPECT_THAT(input.shape(), ElementsAre(1, 3, 32, 32));
  EXPECT_EQ(input.as<float>()[1024], (static_cast<float>(image.rgb[1]) / 255.0F - 0.456F) / 0.224F);
  EXPECT_THAT(error_of(ErrorCode::invalid_argument,
                       [] { preprocess(find_recipe("cifar10"), noisy(33, 32), 32, 32); }),
              HasSubstr("cifar10: the picture has 33 x 32 pixels, expected 32 x 32"));
}

TEST(Preprocess, TensorFlowsRecipeSubtractsTheMeanOfBytes) {
  Image image(256, 256);
  std::fill(image.rgb.begin(), image.rgb.end(), std::uint8_t{200});
  const Recipe& recipe = find_recipe("tf-imagenet");
  const Tensor input = preprocess(recipe, image, 224, 224);
  EXPECT_EQ(input.as<float>()[0], 200.0F - 123.68F);
  EXPECT_EQ(input.as<float>()[224 * 224], 200.0F - 116.78F);
  EXPECT_EQ(input.as<float>()[2 * 224 * 224], 200.0F - 103.94F);
  EXPECT_EQ(recipe.class_offset, 1);
}

TEST(Preprocess, RefusesUnknownNamesAndSizes) {
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [] { find_recipe("imagenet"); }),
              HasSubstr("'imagenet'; there are 'torchvision-imagenet', 'cifar10', 'tf-imagenet'"));
  const Recipe& recipe = recipes().front();
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { resize_and_crop(recipe, noisy(9, 9), 0, 4); }),
              HasSubstr("0 x 4"));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { preprocess(recipe, noisy(9, 9), 4, 100000); }),
              HasSubstr("4 x 100000"));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { preprocess(recipe, Image(), 4, 4); }),
              HasSubstr("empty"));
  // 100,000 x 1 pixels would become 25,600,000 x 256.
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { preprocess(recipe, noisy(100000, 1), 224, 224); }),
              HasSubstr("25600000 x 256"));
}

}  // namespace
}  // namespace octavo
