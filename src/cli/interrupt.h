#pragma once
#include <atomic>

namespace octavo::cli {

/// Set by the first Ctrl-C after the first call; the second one ends the process.
const std::atomic<bool>& interrupted();

}  // namespace octavo::cli
