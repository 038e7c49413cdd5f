#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/point.h"
#include "bench/ratio.h"

namespace octavo::bench {

/// One setting of a sweep that was gone through several times. A machine that others use too may be half as
/// fast a minute later: what holds then are ratios of rates that were measured in the same turn.
struct SettingOverTurns {
  Split split;
  std::int64_t batch = 1;
  double items_per_second = 0;  ///< median
  Ratio to_first;               ///< to the rate of the sweep's first setting
  Ratio peak_to_first;          ///< what the machine gave: the same of the peaks; 0 = unknown
};

/// `points`: turn after turn, `settings` points in each. What is left of a turn that was cut short does not
/// count.
std::vector<SettingOverTurns> over_turns(const std::vector<Point>& points, std::size_t settings);

std::string over_turns_table(const std::vector<SettingOverTurns>& settings);
nlohmann::ordered_json json_of(const SettingOverTurns& setting);

}  // namespace octavo::bench
