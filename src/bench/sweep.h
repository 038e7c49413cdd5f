#pragma once
#include <functional>
#include <string_view>
#include <vector>

#include "base/cpu.h"
#include "bench/point.h"

namespace octavo::bench {

enum class Mode {
  fixed,        ///< the instances and threads given
  latency,      ///< one instance, threads swept
  throughput,   ///< as many instances as fit, threads of each swept
  scalability,  ///< instances of one thread, their number swept
  single_stream,
  multi_stream,
  offline,
  server,
};

/// "fixed", "latency", ... "single-stream"; the names of the command line, in the order of Mode.
std::string_view mode_name(Mode mode) noexcept;
/// Error(invalid_argument) naming a mode that is none.
Mode read_mode(std::string_view name);

/// All that is to be measured.
struct Sweep {
  Mode mode = Mode::fixed;
  std::vector<int> instances = {};  ///< numbers to go through; empty = what the mode does
  std::vector<int> threads = {};
  std::optional<Hint> hint = {};    ///< instead of `instances` and `threads`
  std::optional<Split> tuned = {};  ///< what Hint::throughput stands for where it fills the CPUs
  std::vector<std::int64_t> batches{1};
  std::vector<int> cpus = {};
  Sharing sharing = Sharing::none;
  Timing timing = {};
  int turns = 1;                     ///< how often all settings are gone through
  std::int64_t query_samples = 8;    ///< multi-stream
  std::int64_t offline_samples = 0;  ///< 0 = as many as the time allows
  ServerLoad load = {};              ///< a rate of 0 is searched for
};

/// The splits that a sweep goes through on this machine. Error(invalid_argument) for options that contradict
/// the mode or each other.
std::vector<Split> splits_of(const Sweep& sweep, const SystemFacts& system);

/// How many points one turn of the sweep has. Errors as splits_of.
std::size_t settings_of(const Sweep& sweep, const SystemFacts& system);

/// What is measured.
struct Subject {
  StartInstance start;
  std::int64_t macs_per_item = 0;
  bool takes_batches = true;  ///< otherwise a batch other than 1 is refused
};

/// Where the points go.
struct Audience {
  std::function<void(const Point&)> point;                ///< each as soon as it is measured
  std::function<void(const ServerMeasured&)> trial = {};  ///< of the search for a server's rate
};

/// Measures every split with every batch size, turn after turn; ends early when `watch` says so, after the
/// point that was interrupted. Checks everything that can be checked before the first measurement.
/// Error(invalid_argument) as `splits_of` and `place`, and for batches of a model that takes none.
void run_sweep(const Sweep& sweep, const Subject& subject, const SystemFacts& system, const Watch& watch,
               const Audience& audience);

}  // namespace octavo::bench
