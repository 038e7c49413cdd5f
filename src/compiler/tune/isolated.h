#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace octavo {

/// Which time counts.
enum class TrialClock {
  wall,
  thread,  ///< the CPU time of the calling thread: what other processes take does not count
};

/// How candidates are timed.
struct Timekeeping {
  int rounds = 5;                ///< times of each candidate; the candidates take turns
  double block_seconds = 0.002;  ///< a time is the mean of runs that take at least so long together
  TrialClock clock = TrialClock::wall;
  double patience_seconds = 20;  ///< the longest a candidate may take to be prepared or for one block
};

/// A candidate's times, or why there are none.
struct Measured {
  std::vector<double> us;
  std::string error;
};

/// A candidate that is ready to run.
struct ReadyCandidate {
  std::function<void()> run;
  /// Where it is given: called before each run, which is timed alone then, a few times a block.
  std::function<void()> refresh = {};
};

/// Makes a candidate ready. May throw.
using PrepareCandidate = std::function<ReadyCandidate(const std::string& candidate)>;

/// Times `candidates` in a child process: one that crashes or hangs ends that process, not this one, is told
/// so, and the others are measured in another. A candidate four times slower than the fastest is timed once
/// only. The caller's process must have no other threads. Error(io) when no child can be made.
std::vector<Measured> measure_isolated(std::span<const std::string> candidates,
                                       const PrepareCandidate& prepare, const Timekeeping& timekeeping);

}  // namespace octavo
