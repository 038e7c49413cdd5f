#include "base/atomic_file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "base/testing.h"

namespace octavo {
namespace {

using ::octavo::testing::error_of;
using ::octavo::testing::file_bytes;
using ::octavo::testing::TemporaryFolder;
using ::octavo::testing::write_file;
using ::testing::HasSubstr;

std::ptrdiff_t files_in(const TemporaryFolder& folder) {
  return std::distance(std::filesystem::directory_iterator(folder.path()), {});
}

/// Makes writes beyond `bytes` of a file fail, as a full disk does, while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(AtomicFile, HasItsNameOnlyWhenCommitted) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  file.write(std::as_bytes(std::span("text", 4)));
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  file.commit();
  EXPECT_EQ(file_bytes(folder / "a").size(), 4U);
}

TEST(AtomicFile, LeavesNothingWhenItIsNotCommitted) {
  const TemporaryFolder folder;
  { AtomicFile(folder / "a").write(std::as_bytes(std::span("text", 4))); }
  EXPECT_EQ(files_in(folder), 0);
}

TEST(AtomicFile, KeepsTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  write_file(folder / "a", "old");
  const std::vector<std::byte> much(10'000);
  const auto write = [&] {
    const FileSizeLimit limit(4096);
    AtomicFile file(folder / "a");
    file.write(much);
    file.commit();
  };
  EXPECT_THAT(error_of(ErrorCode::io, write), HasSubstr("cannot write '"));
  EXPECT_EQ(file_bytes(folder / "a").size(), 3U);
  EXPECT_EQ(files_in(folder), 1);
}

TEST(AtomicFile, NamesAFolderThatIsNotThere) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of(ErrorCode::io, [&] { AtomicFile(folder / "none/a"); }), HasSubstr("none/a"));
}

TEST(AtomicFile, ReportsARenameThatIsRefused) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "a");
  EXPECT_THAT(error_of(ErrorCode::io, [&] { AtomicFile(folder / "a").commit(); }), HasSubstr("/a'"));
  EXPECT_EQ(files_in(folder), 1);
}

}  // namespace
}  // namespace octavo
