#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/instance.h"
#include "bench/measured.h"
#include "bench/ratio.h"

namespace octavo::bench {

/// Two runtimes measured in turns, so that both see the same phases of the machine.
struct Comparison {
  std::string peer;  ///< name and version
  int threads = 1;
  std::int64_t batch = 1;
  std::vector<double> ours, theirs;  ///< items a second, by round
  double ours_p50_ms = 0, theirs_p50_ms = 0;
  /// Of all threads, for an item: what others take from the CPUs is not in it.
  double ours_cpu_us = 0, theirs_cpu_us = 0;
  double largest_difference = 0;  ///< between the first outputs; NaN where they cannot be compared
  double largest_output = 0;      ///< magnitude, to judge that by
  bool was_stopped = false;

  [[nodiscard]] Ratio ratio() const { return ratio_by_turn(ours, theirs); }
};

/// Runs `ours` and `theirs` in turns, `rounds` times each for `seconds_each`; who begins changes every round.
Comparison compare(const Instances& ours, const Instances& theirs, std::int64_t batch, int rounds,
                   double seconds_each, const Watch& watch);

/// Sets the fields on outputs; vectors of different sizes, or none, cannot be compared.
void compare_outputs(Comparison& comparison, const std::vector<float>& ours,
                     const std::vector<float>& theirs);

std::string comparison_head();
std::string comparison_line(const Comparison& comparison);
nlohmann::ordered_json json_of(const Comparison& comparison);

}  // namespace octavo::bench
