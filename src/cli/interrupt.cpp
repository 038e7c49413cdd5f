#include "cli/interrupt.h"

#include <csignal>

namespace octavo::cli {
namespace {

std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not take locks");

}  // namespace

const std::atomic<bool>& interrupted() {
  static const bool is_installed = [] {
    struct sigaction action {};
    action.sa_handler = [](int) { was_interrupted.store(true); };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    return ::sigaction(SIGINT, &action, nullptr) == 0;
  }();
  static_cast<void>(is_installed);
  return was_interrupted;
}

}  // namespace octavo::cli
