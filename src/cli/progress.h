#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace octavo::cli {

/// "3.1 GB of 11.9 GB (26 %), 412.0 MB/s, 21 s left"; a total of 0 is unknown. `done_before` bytes were there
/// when the `seconds` began: they count for the share, not for the rate.
std::string progress_text(std::int64_t done, std::int64_t total, double seconds,
                          std::int64_t done_before = 0);

/// A line on stderr that says how far a long work is; nothing where stderr is no terminal.
class ProgressLine {
 public:
  /// `done_before` as for `progress_text`.
  explicit ProgressLine(std::string what, std::int64_t done_before = 0);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();
  /// Shows at most a few lines a second.
  void update(std::int64_t done, std::int64_t total);

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  std::int64_t done_before_;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_{};
  bool is_terminal_;
};

}  // namespace octavo::cli
