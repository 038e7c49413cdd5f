#include "base/streamed_file.h"

#include <gmock/gmock.h>

#include <array>

#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::write_file;
using ::testing::HasSubstr;

TEST(StreamedFile, ReadsAnyPiece) {
  const TemporaryFolder folder;
  write_file(folder / "a", "0123456789");
  const StreamedFile file(folder / "a");
  EXPECT_EQ(file.size(), 10);
  std::array<char, 3> piece{};
  file.read(6, std::as_writable_bytes(std::span(piece)));
  EXPECT_EQ(std::string_view(piece.data(), 3), "678");
}

TEST(StreamedFile, GivesAllBytesInPieces) {
  const TemporaryFolder folder;
  std::string content(1 << 20, 'a');
  content += "bc";
  write_file(folder / "a", content);
  std::string read;
  int pieces = 0;
  StreamedFile(folder / "a").read_all([&](std::span<const std::byte> piece) {
    read.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    ++pieces;
  });
  EXPECT_EQ(read, content);
  EXPECT_EQ(pieces, 2);
  write_file(folder / "empty", "");
  StreamedFile(folder / "empty").read_all([](std::span<const std::byte>) { FAIL(); });
}

TEST(StreamedFile, SaysWhereTheFileEnds) {
  const TemporaryFolder folder;
  write_file(folder / "a", "0123456789");
  const StreamedFile file(folder / "a");
  std::array<std::byte, 3> piece{};
  EXPECT_THAT(error_of(ErrorCode::io, [&] { file.read(8, piece); }),
              HasSubstr("a' ends at byte 10, 1 bytes short"));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { file.read(-1, piece); }), HasSubstr("cannot read"));
}

TEST(StreamedFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorCode::io, [&] { StreamedFile(folder / "none"); }), HasSubstr("none"));
  EXPECT_THAT(error_of(ErrorCode::io, [&] { StreamedFile file(folder.path()); }),
              HasSubstr("not a regular file"));
}

TEST(MakeFolder, SaysWhyNot) {
  const TemporaryFolder folder;
  write_file(folder / "a", "file");
  EXPECT_THAT(error_of(ErrorCode::io, [&] { make_folder(folder / "a/b"); }), HasSubstr("a/b"));
  make_folder(folder / "c/d");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "c/d"));
}

}  // namespace
}  // namespace octavo
