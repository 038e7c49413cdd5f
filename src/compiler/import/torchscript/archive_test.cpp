#include "compiler/import/torchscript/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/testing.h"
#include "compiler/import/torchscript/test_files.h"
#include "octavo/error.h"

namespace octavo::torchscript {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Archive, ReadsMembersBelowItsRootFolder) {
  const std::string file = zip_of({{"data.pkl", "abc"}, {"code/__torch__.py", "pass"}});
  Archive archive(bytes_of(file));
  EXPECT_TRUE(archive.has("data.pkl"));
  EXPECT_FALSE(archive.has("m/data.pkl"));
  EXPECT_EQ(archive.read_text("data.pkl"), "abc");
  EXPECT_EQ(archive.read_text("code/__torch__.py"), "pass");
}

TEST(Archive, RefusesWhatIsNoZip) {
  EXPECT_THAT([] { Archive archive(bytes_of("hello")); },
              ThrowsMessage<Error>(HasSubstr("not a TorchScript file")));
  EXPECT_THAT([] { Archive archive(bytes_of("")); },
              ThrowsMessage<Error>(HasSubstr("not a TorchScript file")));
}

TEST(Archive, RefusesAZipWithoutDataPkl) {
  const std::string file = zip_of({{"other", "abc"}});
  EXPECT_THAT([&] { Archive archive(bytes_of(file)); }, ThrowsMessage<Error>(HasSubstr("no 'data.pkl'")));
}

TEST(Archive, RefusesBigEndianTensors) {
  const std::string file = zip_of({{"data.pkl", "abc"}, {"byteorder", "big"}});
  EXPECT_THAT([&] { Archive archive(bytes_of(file)); }, ThrowsMessage<Error>(HasSubstr("byte order 'big'")));
}

TEST(Archive, NamesAMissingMember) {
  const std::string file = zip_of({{"data.pkl", "abc"}});
  Archive archive(bytes_of(file));
  EXPECT_THAT([&] { static_cast<void>(archive.read("data/0")); },
              ThrowsMessage<Error>(HasSubstr("no member 'data/0'")));
}

TEST(Archive, NoticesAFlippedBitByTheChecksum) {
  std::string file = zip_of({{"data.pkl", "abcdefgh"}});
  file[file.find("abcdefgh") + 3] ^= 1;
  Archive archive(bytes_of(file));
  EXPECT_THAT([&] { static_cast<void>(archive.read("data.pkl")); },
              ThrowsMessage<Error>(HasSubstr("'data.pkl' is damaged")));
}

TEST(Archive, DoesNotUnpackAZipBomb) {
  const std::string file =
      zip_of({{"data.pkl", "a"}, {"code/a.py", std::string(Archive::kMostUnpackedBytes + 1, ' ')}});
  ASSERT_LT(file.size(), std::size_t{1} << 20);
  Archive archive(bytes_of(file));
  EXPECT_THAT([&] { static_cast<void>(archive.read("code/a.py")); },
              ThrowsMessage<Error>(HasSubstr("'code/a.py' claims 50331649 bytes")));
}

TEST(Archive, CountsRepeatedUnpackingTowardsTheLimit) {
  const std::string file =
      zip_of({{"data.pkl", "a"}, {"code/a.py", std::string(Archive::kMostUnpackedBytes / 2, ' ')}});
  Archive archive(bytes_of(file));
  EXPECT_NO_THROW(static_cast<void>(archive.read("code/a.py")));
  EXPECT_NO_THROW(static_cast<void>(archive.read("code/a.py")));
  EXPECT_THROW(static_cast<void>(archive.read("code/a.py")), Error);
}

std::string read_piece(MemberStream& stream, std::int64_t offset, std::size_t size) {
  std::string piece(size, '\0');
  stream.read(offset, std::as_writable_bytes(std::span(piece)));
  return piece;
}

TEST(MemberStream, ReadsPiecesOfAFileInAnyOrder) {
  const octavo::testing::TemporaryFolder folder;
  octavo::testing::write_file(folder / "a.pt", zip_of({{"data.pkl", "x"}, {"data/0", "0123456789"}}));
  Archive archive(folder / "a.pt");
  MemberStream stream = archive.stream("data/0");
  EXPECT_EQ(stream.size(), 10);
  EXPECT_EQ(read_piece(stream, 0, 4), "0123");
  EXPECT_EQ(read_piece(stream, 4, 6), "456789");
  EXPECT_EQ(read_piece(stream, 7, 2), "78");
  EXPECT_EQ(read_piece(stream, 0, 10), "0123456789");
  EXPECT_THAT([&] { read_piece(stream, 8, 3); },
              ThrowsMessage<Error>(HasSubstr("has 10 bytes: 3 from byte 8")));
}

TEST(MemberStream, NoticesAFlippedBitByTheChecksum) {
  std::string file = zip_of({{"data.pkl", "x"}, {"data/0", "0123456789"}});
  file[file.find("456")] ^= 1;
  Archive archive(bytes_of(file));
  MemberStream stream = archive.stream("data/0");
  EXPECT_EQ(read_piece(stream, 0, 4), "0123");
  EXPECT_THAT([&] { read_piece(stream, 4, 6); }, ThrowsMessage<Error>(HasSubstr("'data/0' is damaged")));
}

TEST(MemberStream, RefusesACompressedMember) {
  const std::string file = zip_of({{"data.pkl", "x"}, {"code/a.py", std::string(100, 'a')}});
  Archive archive(bytes_of(file));
  EXPECT_THAT([&] { static_cast<void>(archive.stream("code/a.py")); },
              ThrowsMessage<Error>(HasSubstr("'code/a.py' is compressed")));
}

TEST(Archive, TellsAModelFromAPlainCheckpoint) {
  const std::string model = zip_of({{"data.pkl", "x"}, {"code/a.py", "a"}});
  const std::string checkpoint = zip_of({{"data.pkl", "x"}, {"data/0", "a"}});
  EXPECT_TRUE(Archive(bytes_of(model)).has_code());
  EXPECT_FALSE(Archive(bytes_of(checkpoint)).has_code());
}

TEST(Archive, NamesAFileThatIsNotThere) {
  EXPECT_THAT([] { Archive archive(std::filesystem::path("/none.pt")); },
              ThrowsMessage<Error>(HasSubstr("/none.pt")));
}

}  // namespace
}  // namespace octavo::torchscript
