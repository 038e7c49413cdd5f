#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "base/testing.h"
#include "data/dataset.h"
#include "data/npz.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::kFixtures;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::test_data;
using ::octavo::testing::write_file;
using ::testing::HasSubstr;

struct Member {
  std::string path;
  std::vector<std::byte> bytes;
  unsigned type = AE_IFREG;
};

void write_archive(const std::filesystem::path& path, const std::vector<Member>& members) {
  archive* tar = archive_write_new();
  archive_write_add_filter_gzip(tar);
  archive_write_set_format_pax_restricted(tar);
  ASSERT_EQ(archive_write_open_filename(tar, path.c_str()), ARCHIVE_OK);
  for (const Member& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.path.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.bytes.size()));
    if (member.type == AE_IFLNK) archive_entry_set_symlink(entry, "elsewhere");
    ASSERT_EQ(archive_write_header(tar, entry), ARCHIVE_OK);
    archive_write_data(tar, member.bytes.data(), member.bytes.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_close(tar), ARCHIVE_OK);
  archive_write_free(tar);
}

std::string refusal(const std::vector<Member>& members, ErrorCode code = ErrorCode::invalid_model) {
  const TemporaryFolder folder;
  write_archive(folder / "a.tar.gz", members);
  return error_of(code, [&] { open_archive(folder / "a.tar.gz"); });
}

TEST(Archive, OfPicturesInAnyOrderComesSorted) {
  const TemporaryFolder folder;
  const std::vector<std::byte> picture = file_bytes(kFixtures / "gray.jpg");
  write_archive(folder / "a.tar.gz", {{"t/dog/1.jpg", picture},
                                      {"README.md", picture},
                                      {"t/dog", {}, AE_IFDIR},
                                      {"t/dog/link.jpg", {}, AE_IFLNK},
                                      {"t/cat/2.jpg", {}},
                                      {"t/dog/0.png", file_bytes(kFixtures / "type2_depth8.png")}});
  const Dataset pictures = open_dataset(folder / "a.tar.gz");
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_EQ(pictures.name(0), "t/cat/2.jpg");
  EXPECT_EQ(pictures.name(1), "t/dog/0.png");
  EXPECT_EQ(pictures.name(2), "t/dog/1.jpg");
  EXPECT_EQ(pictures.label(0), 0);
  EXPECT_EQ(pictures.label(2), 1);
  EXPECT_THAT(pictures.picture(0).problem, HasSubstr("t/cat/2.jpg: the picture has no bytes"));
  EXPECT_TRUE(pictures.picture(1).image.has_value());
  EXPECT_TRUE(pictures.picture(2).image.has_value());
}

TEST(Archive, OfCifarEqualsTheReferencesLabels) {
  OCTAVO_NEED_TEST_DATA();
  const Dataset pictures = open_dataset(test_data() / "cifar10_test_jpeg.tar.gz");
  const Tensor labels = NpzReader(test_data() / "reference/cifar10_resnet20_f32.npz").tensor("label");
  ASSERT_EQ(static_cast<std::int64_t>(pictures.size()), labels.elements());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    ASSERT_EQ(pictures.label(i), labels.as<std::uint8_t>()[i]) << pictures.name(i);
  }
  EXPECT_EQ(pictures.name(0), "test/airplane/0000.jpg");
  EXPECT_EQ(pictures.picture(9999).image.value().width, 32);
}

TEST(Archive, RefusesAPathThatOccursTwiceOrHasNoClass) {
  EXPECT_THAT(refusal({{"c/1.jpg", {}}, {"c/1.jpg", {}}}), HasSubstr("'c/1.jpg' occurs twice"));
  EXPECT_THAT(refusal({{"1.jpg", {}}}), HasSubstr("'1.jpg' lies in no class folder"));
  EXPECT_THAT(refusal({{"c/README", {}}}, ErrorCode::invalid_argument), HasSubstr("no picture"));
}

TEST(Archive, RefusesABomb) {
  EXPECT_THAT(refusal({{"c/1.jpg", std::vector<std::byte>(70U << 20U)}}), HasSubstr("unpacks to more than"));
  EXPECT_THAT(refusal({{"c/readme", std::vector<std::byte>(70U << 20U)}}), HasSubstr("unpacks to more than"));
}

TEST(Archive, RefusesEveryTruncationAndNonsense) {
  const TemporaryFolder folder;
  write_archive(folder / "a.tar.gz", {{"c/1.jpg", file_bytes(kFixtures / "gray.jpg")}});
  const std::vector<std::byte> whole = file_bytes(folder / "a.tar.gz");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write_file(folder / "cut.tar.gz", std::span(whole).first(size));
    EXPECT_THROW(open_archive(folder / "cut.tar.gz"), Error) << size;
  }
  write_file(folder / "no.tar.gz", "this is no archive");
  EXPECT_THAT(error_of(ErrorCode::invalid_model, [&] { open_archive(folder / "no.tar.gz"); }),
              HasSubstr("no.tar.gz: damaged archive"));
}

}  // namespace
}  // namespace octavo
