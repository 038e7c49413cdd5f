#include "bench/turns.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace octavo::bench {

std::vector<SettingOverTurns> over_turns(const std::vector<Point>& points, std::size_t settings) {
  const std::size_t turns = settings > 0 ? points.size() / settings : 0;
  std::vector<SettingOverTurns> result;
  std::vector<double> first;
  for (std::size_t s = 0; s < settings && turns > 0; ++s) {
    std::vector<double> rates;
    for (std::size_t turn = 0; turn < turns; ++turn)
      rates.push_back(points[turn * settings + s].measured.items_per_second());
    if (s == 0) first = rates;
    result.push_back({points[s].split, points[s].batch, median(rates), ratio_by_turn(rates, first)});
  }
  return result;
}

std::string over_turns_table(const std::vector<SettingOverTurns>& settings) {
  std::string text = fmt::format("{:>5}{:>5}{:>6}{:>12}  {}\n", "inst", "thr", "batch", "items/s",
                                 "to the first (least - most)");
  for (const SettingOverTurns& s : settings) {
    text +=
        fmt::format("{:5}{:5}{:6}{:12.1f}  {:.2f} ({:.2f} - {:.2f})\n", s.split.instances, s.split.threads,
                    s.batch, s.items_per_second, s.to_first.median, s.to_first.least, s.to_first.most);
  }
  return text;
}

nlohmann::ordered_json json_of(const SettingOverTurns& s) {
  return {
      {"instances", s.split.instances},
      {"threads", s.split.threads},
      {"batch", s.batch},
      {"items_per_second", s.items_per_second},
      {"to_first", {{"median", s.to_first.median}, {"least", s.to_first.least}, {"most", s.to_first.most}}}};
}

}  // namespace octavo::bench
