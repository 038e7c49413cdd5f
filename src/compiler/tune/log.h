#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "compiler/tune/trial.h"

namespace octavo {

/// The trials of a log file, one JSON line each. Logs of several runs, machines and models may be put
/// together with `cat`; a line that stands there twice counts once.
struct LoggedTrials {
  std::vector<Trial> trials;
  std::vector<std::int64_t> damaged_lines;  ///< numbers of lines that are no trials: skipped, never rewritten
};
/// Error(io) when the file is there but cannot be read; no file gives no trials.
LoggedTrials read_tuning_log(const std::filesystem::path& path);

/// A log that trials are added to. What was added stays, whatever kills the process: each line is one write,
/// and on the disk before the next trial begins.
class TuningLog {
 public:
  /// Error(io) when the file cannot be written, or another process is adding to it.
  explicit TuningLog(const std::filesystem::path& path);
  TuningLog(const TuningLog&) = delete;
  TuningLog& operator=(const TuningLog&) = delete;
  ~TuningLog();
  /// Error(io), for example on a full disk.
  void add(const Trial& trial);

 private:
  void write(std::string_view text);

  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace octavo
