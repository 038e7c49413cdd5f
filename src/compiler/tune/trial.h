#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace octavo {

/// One candidate measured once, in turns with another one: a line of a tuning log.
struct Trial {
  std::string version;  ///< of Octavo
  std::string cpu;      ///< brand
  std::string isa;      ///< in use
  std::string problem;
  std::int64_t batch = 1;  ///< images that take the step together
  int threads = 1;
  std::string kernel;      ///< the candidate
  std::vector<double> us;  ///< times of one run, in the order measured; empty when it failed
  std::string error;       ///< how it failed
  std::int64_t unix_ms = 0;
  std::string against;             ///< the other candidate; empty when it was measured alone
  std::vector<double> against_us;  ///< the other one's times, each taken right after one of `us`
};

/// The trial as a line of JSON, without the newline, and back. Error(invalid_model) when the line is no
/// trial.
std::string trial_line(const Trial& trial);
Trial parse_trial(std::string_view line);

/// The median of all times of a candidate and how far to trust it.
struct Timing {
  double median_us = 0;
  double noise = 0;  ///< about the relative error of the median: spread of the middle half / sqrt(times)
};
/// Of at least one time.
Timing timing_of(std::vector<double> us);

}  // namespace octavo
