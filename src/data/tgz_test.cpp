#include "data/tgz.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/testing.h"
#include "octavo/error.h"

namespace octavo {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Tgz, HoldsWhatStandardToolsUnpackAndIsTheSameEachTime) {
  const fs::path folder = fs::temp_directory_path() / ("octavo_tgz." + std::to_string(getpid()));
  fs::create_directories(folder);
  const std::string large(300000, 'x');
  const std::vector<TgzMember> members{{"a/run", bytes_of("#!/bin/sh\necho ran\n"), true},
                                       {"a/large file", bytes_of(large)}};
  write_tgz(folder / "1.tgz", members);
  write_tgz(folder / "2.tgz", members);
  EXPECT_EQ(read_file(folder / "1.tgz"), read_file(folder / "2.tgz"));
  const std::string in_folder = "cd '" + folder.string() + "' && ";
  EXPECT_EQ(std::system((in_folder + "tar -xzf 1.tgz && test \"$(a/run)\" = ran").c_str()), 0);
  EXPECT_EQ(read_file(folder / "a/large file"), large);
  fs::remove_all(folder);
}

TEST(Tgz, TakesFilesPieceByPieceAndTellsHowFarItIs) {
  const octavo::testing::TemporaryFolder folder;
  const std::string content(2'500'000, 'y');
  std::ofstream(folder / "large", std::ios::binary) << content;
  const std::vector<TgzMember> members{{"a/small", bytes_of("abc")},
                                       {"a/large", {}, false, folder / "large"}};
  std::vector<std::int64_t> told;
  write_tgz(folder / "x.tgz", members, [&](std::int64_t bytes) { told.push_back(bytes); });
  EXPECT_EQ(told, (std::vector<std::int64_t>{3, 3 + (1 << 20), 3 + (2 << 20), 2'500'003}));
  EXPECT_EQ(std::system(("cd '" + folder.path().string() + "' && tar -xzf x.tgz").c_str()), 0);
  EXPECT_EQ(read_file(folder / "a/large"), content);
}

TEST(Tgz, LeavesNothingWhenAFileIsNotThere) {
  const octavo::testing::TemporaryFolder folder;
  const std::vector<TgzMember> members{{"a", {}, false, folder / "none"}};
  EXPECT_THAT(octavo::testing::error_of(ErrorCode::io, [&] { write_tgz(folder / "x.tgz", members); }),
              HasSubstr((folder / "none").string()));
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Tgz, NamesAFileThatCannotBeWritten) {
  try {
    write_tgz("/nowhere/x.tgz", {});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::io);
    EXPECT_THAT(e.what(), HasSubstr("/nowhere/x.tgz"));
  }
}

}  // namespace
}  // namespace octavo
