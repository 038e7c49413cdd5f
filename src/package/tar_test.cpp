#include "package/tar.h"

#include <gmock/gmock.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

/// An archive of three members: short, empty, and longer than a block.
std::vector<std::byte> small_archive() {
  const auto path = std::filesystem::temp_directory_path() / ("octavo_tar_test." + std::to_string(getpid()));
  const std::string longer(700, 'x');
  const std::vector<TarMember> members{
      {"short.txt", bytes_of("short")}, {"empty", {}}, {"folder/longer", bytes_of(longer)}};
  write_tar(path, members);
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  const auto bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

/// Gives the header at `at` the checksum that its bytes have.
void mend_checksum(std::vector<std::byte>& archive, std::size_t at) {
  unsigned sum = 8 * ' ';
  for (std::size_t i = 0; i < 512; ++i) {
    if (i < 148 || i >= 156) sum += std::to_integer<unsigned>(archive[at + i]);
  }
  char digits[8];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  std::memcpy(archive.data() + at + 148, digits, 7);
}

void put(std::vector<std::byte>& archive, std::size_t at, std::string_view text) {
  std::memcpy(archive.data() + at, text.data(), text.size());
}

std::string error_of(std::span<const std::byte> archive) {
  try {
    static_cast<void>(read_tar(archive));
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::invalid_model);
    return e.what();
  }
  return "no error";
}

TEST(Tar, ReadsWhatItWrote) {
  const auto archive = small_archive();
  EXPECT_EQ(archive.size() % 512, 0U);
  const auto members = read_tar(archive);
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[0].name, "short.txt");
  EXPECT_EQ(std::memcmp(members[0].bytes.data(), "short", 5), 0);
  EXPECT_EQ(members[1].bytes.size(), 0U);
  EXPECT_EQ(members[2].name, "folder/longer");
  EXPECT_EQ(members[2].bytes.size(), 700U);
  for (const TarMember& m : members) EXPECT_EQ((m.bytes.data() - archive.data()) % 512, 0);
}

TEST(Tar, GivesTheSameBytesForTheSameMembers) { EXPECT_EQ(small_archive(), small_archive()); }

TEST(Tar, IsWhatTheSystemsTarReads) {
  const auto path = std::filesystem::temp_directory_path() / ("octavo_tar_list." + std::to_string(getpid()));
  const std::vector<TarMember> members{{"manifest.json", bytes_of("{}")}, {"weights/0", bytes_of("abc")}};
  write_tar(path, members);
  FILE* pipe = popen(("tar -tf '" + path.string() + "' 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char line[256];
  std::string listing;
  while (std::fgets(line, sizeof line, pipe) != nullptr) listing += line;
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(listing, "manifest.json\nweights/0\n");
  std::filesystem::remove(path);
}

TEST(Tar, RefusesEveryTruncation) {
  const auto archive = small_archive();
  for (std::size_t size = 0; size + 1024 < archive.size(); size += size % 512 == 0 ? 511 : 1) {
    EXPECT_THAT(error_of(std::span(archive).first(size)),
                ::testing::AnyOf(HasSubstr("truncated"), HasSubstr("past the archive's end")))
        << size;
  }
}

TEST(Tar, RefusesEveryFlippedBitOfAHeader) {
  const auto good = small_archive();
  for (std::size_t at = 0; at < 512; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      auto archive = good;
      archive[at] ^= static_cast<std::byte>(1U << bit);
      const std::string error = error_of(archive);
      // A leading zero of the checksum may become a space, and what stands behind its digits says nothing.
      const bool says_the_same =
          at == 154 || at == 155 || (archive[at] == std::byte{' '} && at >= 148 && at < 155);
      EXPECT_TRUE(error != "no error" || says_the_same) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(Tar, RefusesSizesThatMakeNoSense) {
  for (const char* size : {"77777777777", "00000010000", "00000000xyz"}) {
    auto archive = small_archive();
    put(archive, 124, size);
    mend_checksum(archive, 0);
    EXPECT_NE(error_of(archive), "no error") << size;
  }
  auto archive = small_archive();
  for (std::size_t i = 124; i < 136; ++i) archive[i] = std::byte{0xFF};
  mend_checksum(archive, 0);
  EXPECT_THAT(error_of(archive), HasSubstr("absurd number"));
}

TEST(Tar, RefusesLinksAndDevices) {
  auto archive = small_archive();
  put(archive, 156, "2");
  mend_checksum(archive, 0);
  EXPECT_THAT(error_of(archive), HasSubstr("member 'short.txt' is of kind '2'"));
}

TEST(Tar, PassesOverFolders) {
  auto archive = small_archive();
  put(archive, 1024, "5");
  put(archive, 1024 + 156 - 1, "");
  archive[1024 + 156] = std::byte{'5'};
  mend_checksum(archive, 1024);
  EXPECT_EQ(read_tar(archive).size(), 2U);
}

TEST(Tar, JoinsAPrefixWithItsName) {
  auto archive = small_archive();
  put(archive, 345, "a/b");
  mend_checksum(archive, 0);
  EXPECT_EQ(read_tar(archive)[0].name, "a/b/short.txt");
}

TEST(Tar, RefusesToWriteNamesThatAreTooLong) {
  const auto path = std::filesystem::temp_directory_path() / ("octavo_tar_name." + std::to_string(getpid()));
  const std::vector<TarMember> members{{std::string(100, 'n'), {}}};
  EXPECT_THROW(write_tar(path, members), Error);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace octavo
