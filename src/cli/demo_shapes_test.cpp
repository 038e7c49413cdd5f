#include "cli/demo_shapes.h"

#include <gmock/gmock.h>

#include "cli/demo_gallery.h"
#include "cli/embedded.h"
#include "octavo/error.h"

namespace octavo::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Two flat pictures of the classes "dot" and "bar", and scores that take both for a dot.
struct TwoPictures {
  ShapePictures pictures;
  Tensor logits = Tensor(DType::f32, {2, 2});
  std::vector<std::int64_t> shown{0, 1};
  TwoPictures() {
    pictures.images = {Image(32, 32), Image(32, 32)};
    pictures.labels = {0, 1};
    pictures.classes = {"dot", "bar"};
    logits.as<float>()[0] = 2.5F;
    logits.as<float>()[2] = 1.5F;
  }
};

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(DemoShapes, EveryLogitIsPyTorchs) {
  const ShapePictures pictures = embedded_shape_pictures();
  const ShapeScores scores = score_shapes(compile_embedded_shapes_network(), pictures, 2);
  EXPECT_EQ(scores.with_recorded.values, 2000);
  EXPECT_EQ(scores.with_recorded.equal, 2000);
  EXPECT_GE(scores.accuracy.top1, 195);
  EXPECT_EQ(scores.accuracy.labelled, 200);
}

TEST(DemoShapes, ALogitThatIsNotPyTorchsIsCounted) {
  ShapePictures pictures = embedded_shape_pictures();
  pictures.recorded_logits.as<float>()[7] += 0.125F;
  const ShapeScores scores = score_shapes(compile_embedded_shapes_network(), pictures, 1);
  EXPECT_EQ(scores.with_recorded.equal, 1999);
}

TEST(DemoShapes, ShowsOnePictureOfEachClass) {
  const ShapePictures pictures = embedded_shape_pictures();
  const auto shown = first_of_each_class(pictures);
  ASSERT_EQ(shown.size(), 10U);
  for (std::size_t c = 0; c < 10; ++c) EXPECT_EQ(shown[c], static_cast<std::int64_t>(20 * c));
}

TEST(DemoGallery, SaysInPlainTextWhatWasFoundAndMissed) {
  const TwoPictures two;
  EXPECT_EQ(gallery_text(two.pictures, two.logits, two.shown),
            "  dot       found         dot   2.5       bar   0.0\n"
            "  bar       missed        dot   1.5       bar   0.0\n");
}

TEST(DemoGallery, FitsIntoTheTerminal) {
  const TwoPictures two;
  // At 34 characters two pictures of 16 and the gap of 2 fit beside each other, at 33 only one.
  EXPECT_EQ(count(gallery_in_colours(two.pictures, two.logits, two.shown, 34), "\n"), 8U + 3 + 1);
  EXPECT_EQ(count(gallery_in_colours(two.pictures, two.logits, two.shown, 33), "\n"), 2U * (8 + 3 + 1));
}

TEST(DemoGallery, ShowsPicturesWholeWhereFiveFit) {
  const TwoPictures two;
  EXPECT_EQ(count(gallery_in_colours(two.pictures, two.logits, two.shown, 168), "▀"), 2U * 32 * 16);
  EXPECT_EQ(count(gallery_in_colours(two.pictures, two.logits, two.shown, 167), "▀"), 2U * 16 * 8);
}

TEST(DemoGallery, MarksWhatWasMissedInRed) {
  const TwoPictures two;
  const std::string text = gallery_in_colours(two.pictures, two.logits, two.shown, 34);
  EXPECT_THAT(text, HasSubstr("\x1b[1;31mbar (missed)"));
  EXPECT_THAT(text, Not(HasSubstr("dot (missed)")));
}

TEST(EmbeddedFile, HoldsTheBytesOfTheFile) {
  const auto bytes = embedded_file("classes.txt");
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  EXPECT_THAT(text, StartsWith("circle\nsquare\n"));
  EXPECT_THAT(text, EndsWith("\nhexagon\n"));
}

TEST(EmbeddedFile, RefusesANameThatIsNotThere) {
  try {
    embedded_file("colours.txt");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::internal);
    EXPECT_THAT(error.what(), HasSubstr("'colours.txt'"));
  }
}

}  // namespace
}  // namespace octavo::cli
