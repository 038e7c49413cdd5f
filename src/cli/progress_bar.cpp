#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace octavo::cli {

std::string bar_text(double share, double rate) {
  constexpr int kCells = 30;
  share = std::clamp(share, 0.0, 1.0);
  const int full = static_cast<int>(share * kCells);
  std::string text = fmt::format("[{:#<{}}{:-<{}}] {:3.0f} %", "", full, "", kCells - full, 100 * share);
  if (rate > 0) text += fmt::format("  {:.1f} items/s", rate);
  return text;
}

ProgressBar::ProgressBar() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::show(double share, double rate) {
  if (!is_terminal_) return;
  fmt::print(stderr, "\r{}\x1b[K", bar_text(share, rate));
  is_shown_ = true;
}

void ProgressBar::clear() {
  if (is_shown_) fmt::print(stderr, "\r\x1b[K");
  is_shown_ = false;
}

}  // namespace octavo::cli
