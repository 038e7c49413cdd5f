#include "compiler/tune/log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include "base/fail.h"

namespace octavo {
namespace {

/// No trial is longer; a file of other things is not read into memory for one.
constexpr std::size_t kLongestLine = std::size_t{1} << 16U;

[[noreturn]] void complain(const std::filesystem::path& path, const char* what) {
  fail(ErrorCode::io, "tuning log '{}' cannot be {}: {}", path.string(), what, std::strerror(errno));
}

/// The next line up to kLongestLine characters; what follows them is skipped and leaves the line damaged.
bool next_line(std::istream& file, std::string& line) {
  line.clear();
  for (int c = file.get(); c != EOF; c = file.get()) {
    if (c == '\n') return true;
    if (line.size() < kLongestLine) line.push_back(static_cast<char>(c));
  }
  return !line.empty();
}

}  // namespace

LoggedTrials read_tuning_log(const std::filesystem::path& path) {
  LoggedTrials logged;
  if (!std::filesystem::exists(path)) return logged;
  if (!std::filesystem::is_regular_file(path))
    fail(ErrorCode::io, "tuning log '{}' is no file", path.string());
  std::ifstream file(path);
  if (!file) complain(path, "read");
  std::set<std::string, std::less<>> seen;
  std::string line;
  for (std::int64_t number = 1; next_line(file, line); ++number) {
    if (line.empty() || !seen.insert(line).second) continue;
    try {
      logged.trials.push_back(parse_trial(line));
    } catch (const Error&) {
      logged.damaged_lines.push_back(number);
    }
  }
  return logged;
}

TuningLog::TuningLog(const std::filesystem::path& path) : path_(path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) complain(path, "written");
  try {
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      fail(ErrorCode::io, "tuning log '{}' is being written by another process", path.string());
    }
    // A killed run may have left half a line: it stays, alone on its line.
    char last = '\n';
    const off_t size = ::lseek(fd_, 0, SEEK_END);
    if (size > 0 && ::pread(fd_, &last, 1, size - 1) == 1 && last != '\n') write("\n");
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

TuningLog::~TuningLog() { ::close(fd_); }

void TuningLog::add(const Trial& trial) { write(trial_line(trial) + "\n"); }

void TuningLog::write(std::string_view text) {
  const ssize_t written = ::write(fd_, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || ::fdatasync(fd_) != 0) complain(path_, "written");
}

}  // namespace octavo
