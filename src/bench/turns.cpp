#include "bench/turns.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace octavo::bench {

std::vector<SettingOverTurns> over_turns(const std::vector<Point>& points, std::size_t settings) {
  const std::size_t turns = settings > 0 ? points.size() / settings : 0;
  std::vector<SettingOverTurns> result;
  std::vector<double> first, first_peaks;
  for (std::size_t s = 0; s < settings && turns > 0; ++s) {
    std::vector<double> rates, peaks;
    for (std::size_t turn = 0; turn < turns; ++turn) {
      const Point& point = points[turn * settings + s];
      rates.push_back(point.measured.items_per_second());
      if (point.arithmetic.peak_ops_per_second > 0) peaks.push_back(point.arithmetic.peak_ops_per_second);
    }
    if (s == 0) {
      first = rates;
      first_peaks = peaks;
    }
    result.push_back({points[s].split, points[s].batch, median(rates), ratio_by_turn(rates, first),
                      ratio_by_turn(peaks, first_peaks)});
  }
  return result;
}

std::string over_turns_table(const std::vector<SettingOverTurns>& settings) {
  std::string text = fmt::format("{:>5}{:>5}{:>6}{:>12}  {:27}  {}\n", "inst", "thr", "batch", "items/s",
                                 "to the first (least - most)", "the peak's");
  for (const SettingOverTurns& s : settings) {
    text += fmt::format("{:5}{:5}{:6}{:12.1f}  {:27}  {}\n", s.split.instances, s.split.threads, s.batch,
                        s.items_per_second, text_of(s.to_first),
                        s.peak_to_first.median > 0 ? text_of(s.peak_to_first) : "unknown");
  }
  return text;
}

nlohmann::ordered_json json_of(const SettingOverTurns& s) {
  return {{"instances", s.split.instances},
          {"threads", s.split.threads},
          {"batch", s.batch},
          {"items_per_second", s.items_per_second},
          {"to_first", json_of(s.to_first)},
          {"peak_to_first", json_of(s.peak_to_first)}};
}

}  // namespace octavo::bench
