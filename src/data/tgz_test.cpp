#include "data/tgz.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

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
