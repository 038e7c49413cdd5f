#include "bench/ratio.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace octavo::bench {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

std::string text_of(const Ratio& ratio) {
  return fmt::format("{:.2f} ({:.2f} - {:.2f})", ratio.median, ratio.least, ratio.most);
}

nlohmann::ordered_json json_of(const Ratio& ratio) {
  return {{"median", ratio.median}, {"least", ratio.least}, {"most", ratio.most}};
}

Ratio ratio_by_turn(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
    ratios.push_back(ours[i] / theirs[i]);
  if (ratios.empty()) return {};
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  return {median(ratios), *least, *most};
}

}  // namespace octavo::bench
