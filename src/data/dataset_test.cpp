#include "data/dataset.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/testing.h"
#include "data/npz.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::kFixtures;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names_of(const Dataset& dataset) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < dataset.size(); ++i) names.push_back(dataset.name(i));
  return names;
}

std::vector<std::int64_t> labels_of(const Dataset& dataset) {
  std::vector<std::int64_t> labels;
  for (std::size_t i = 0; i < dataset.size(); ++i) labels.push_back(dataset.label(i).value_or(-1));
  return labels;
}

TEST(Photos, AreSortedByNameAndLabelledByIt) {
  const TemporaryFolder folder;
  for (const char* name :
       {"010_n_b.JPEG", "002_n_c.jpg", "x.PNG", "12.jpg", "_1.jpg", "README.md", ".5_h.jpg"}) {
    write_file(folder / name, "");
  }
  const Dataset photos = open_photos(folder.path());
  EXPECT_THAT(names_of(photos), ElementsAre("002_n_c.jpg", "010_n_b.JPEG", "12.jpg", "_1.jpg", "x.PNG"));
  EXPECT_THAT(labels_of(photos), ElementsAre(2, 10, -1, -1, -1));
}

TEST(Photos, AnUnreadableOneIsReportedAndTheOthersGoOn) {
  const TemporaryFolder folder;
  write_file(folder / "0_a.jpg", file_bytes(kFixtures / "gray.jpg"));
  write_file(folder / "1_b.jpg", "");
  std::filesystem::create_symlink("nowhere", folder / "2_c.jpg");
  write_file(folder / "3_d.jpg", file_bytes(kFixtures / "type2_depth8.png"));
  const Dataset photos = open_photos(folder.path());
  ASSERT_EQ(photos.size(), 4U);
  EXPECT_TRUE(photos.picture(0).image.has_value());
  EXPECT_FALSE(photos.picture(1).image.has_value());
  EXPECT_THAT(photos.picture(1).problem, HasSubstr("1_b.jpg: the picture has no bytes"));
  EXPECT_THAT(photos.picture(2).problem, HasSubstr("2_c.jpg"));
  EXPECT_TRUE(photos.picture(3).image.has_value());
}

TEST(Photos, APipeIsNotWaitedFor) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "0_pipe.jpg").c_str(), 0600), 0);
  write_file(folder / "1_b.jpg", "");
  EXPECT_THAT(names_of(open_photos(folder.path())), ElementsAre("1_b.jpg"));
}

TEST(Photos, TheRecordedOnesComeInTheReferencesOrder) {
  OCTAVO_NEED_TEST_DATA();
  const Dataset photos = open_dataset(test_data() / "photos");
  const NpzReader reference(test_data() / "reference/resnet50_int8.npz");
  const Tensor labels = reference.tensor("label");
  EXPECT_EQ(names_of(photos), reference.strings("photo"));
  const auto expected = labels.as<std::int64_t>();
  EXPECT_EQ(labels_of(photos), std::vector<std::int64_t>(expected.begin(), expected.end()));
}

TEST(ClassFolders, AreLabelledInSortedOrder) {
  const TemporaryFolder folder;
  for (const char* name : {"dog/2.png", "dog/1.png", "cat/x.jpg", "empty/README", "ape/0.jpeg"}) {
    write_file(folder / name, "");
  }
  const Dataset pictures = open_dataset(folder.path());
  EXPECT_THAT(names_of(pictures), ElementsAre("ape/0.jpeg", "cat/x.jpg", "dog/1.png", "dog/2.png"));
  EXPECT_THAT(labels_of(pictures), ElementsAre(0, 1, 2, 2));
}

TEST(Folders, WithoutPicturesOrMissingAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { open_photos(folder.path()); }),
              HasSubstr("no picture"));
  EXPECT_THAT(error_of(ErrorCode::invalid_argument, [&] { open_dataset(folder.path()); }),
              HasSubstr("no picture"));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { open_photos(folder / "none"); }), HasSubstr("none"));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { open_dataset(folder / "none.tar"); }), HasSubstr("none.tar"));
}

}  // namespace
}  // namespace octavo
