#include "base/mapped_file.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::write_file;
using ::testing::HasSubstr;

/// Bytes of files in this process's memory.
std::int64_t mapped_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "RssFile:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

TEST(MappedFile, LeavesMemoryUntilItIsTouchedAgain) {
  const TemporaryFolder folder;
  constexpr std::int64_t kBytes = std::int64_t{16} << 20;
  write_file(folder / "large", std::string(kBytes, 'a'));
  const MappedFile file(folder / "large");
  const auto are_all_a = [&] {
    return std::ranges::all_of(file.bytes(), [](std::byte byte) { return byte == std::byte{'a'}; });
  };
  EXPECT_TRUE(are_all_a());
  const std::int64_t touched = mapped_bytes();
  file.release();
  EXPECT_LE(mapped_bytes(), touched - kBytes * 9 / 10);
  EXPECT_TRUE(are_all_a());
}

TEST(MappedFile, CanBeOfNothing) {
  const TemporaryFolder folder;
  write_file(folder / "empty", "");
  const MappedFile file(folder / "empty");
  file.release();
  EXPECT_TRUE(file.bytes().empty());
  EXPECT_THAT(error_of(ErrorCode::io, [&] { MappedFile(folder / "none"); }), HasSubstr("none"));
}

}  // namespace
}  // namespace octavo
