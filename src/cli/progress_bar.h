#pragma once
#include <functional>
#include <string>

namespace octavo::cli {

/// A progress bar in the last line of the terminal behind stderr; nothing where stderr is no terminal.
class ProgressBar {
 public:
  ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  /// `share` is 0 to 1; `rate` in items a second, 0 = not shown.
  void show(double share, double rate);
  /// Takes the bar away, for other output.
  void clear();

 private:
  bool is_terminal_;
  bool is_shown_ = false;
};

/// "[#####-----]  50 %   123.4 items/s"
std::string bar_text(double share, double rate);

}  // namespace octavo::cli
