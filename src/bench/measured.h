#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "bench/histogram.h"

namespace octavo::bench {

class RawDump;

/// A stretch of a measurement; its spread over several tells how steady the machine was.
struct Window {
  std::int64_t items = 0;
  double items_per_second = 0;  ///< over the time that really passed, not the time asked for
};

/// What a measurement found.
struct Measured {
  Histogram latency;  ///< of runs; in a server scenario of queries, from their arrival on
  std::vector<Window> windows;
  std::int64_t runs = 0, items = 0;
  std::int64_t elapsed_ns = 0;
  std::int64_t cpu_ns = 0;   ///< of all threads of the process meanwhile
  bool was_stopped = false;  ///< by Watch::stop; the numbers are of what was measured until then

  /// The median of the windows' rates: a window that the machine spent on others does not count for more than
  /// one.
  [[nodiscard]] double items_per_second() const;
  /// (largest - smallest) / median of the windows' rates.
  [[nodiscard]] double spread() const;
};

/// How long to measure.
struct Timing {
  double seconds = 2;         ///< together, of all windows
  double warmup_seconds = 0;  ///< before; at least one run in any case
  int windows = 5;
};

/// What goes on beside a measurement.
struct Watch {
  const std::atomic<bool>* stop = nullptr;  ///< set to end it early
  /// Called some times a second by the thread that waits: the share done, and items a second so far.
  std::function<void(double share, double items_per_second)> progress = {};
  RawDump* raw = nullptr;  ///< is given every latency

  [[nodiscard]] bool is_stopped() const noexcept {
    return stop != nullptr && stop->load(std::memory_order_relaxed);
  }
};

}  // namespace octavo::bench
