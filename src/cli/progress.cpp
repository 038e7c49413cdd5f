#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/model_options.h"

namespace octavo::cli {
namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace

std::string progress_text(std::int64_t done, std::int64_t total, double seconds, std::int64_t done_before) {
  std::string text = bytes_text(done);
  if (total > 0) {
    const double percent = 100.0 * static_cast<double>(done) / static_cast<double>(total);
    text += fmt::format(" of {} ({} %)", bytes_text(total), static_cast<std::int64_t>(percent));
  }
  const auto now = static_cast<double>(done - done_before);
  if (seconds <= 0.0 || now <= 0.0) return text;
  const double rate = now / seconds;
  text += fmt::format(", {}/s", bytes_text(static_cast<std::int64_t>(rate)));
  if (total > 0) text += fmt::format(", {} left", duration_text(static_cast<double>(total - done) / rate));
  return text;
}

ProgressLine::ProgressLine(std::string what, std::int64_t done_before)
    : what_(std::move(what)), done_before_(done_before), is_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (is_terminal_ && shown_ != Clock::time_point{}) fmt::print(stderr, "\r\033[K");
}

void ProgressLine::update(std::int64_t done, std::int64_t total) {
  constexpr std::chrono::milliseconds kPause{200};
  const Clock::time_point now = Clock::now();
  if (!is_terminal_ || now - shown_ < kPause) return;
  shown_ = now;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  fmt::print(stderr, "\r\033[K{}: {}", what_, progress_text(done, total, seconds, done_before_));
}

}  // namespace octavo::cli
