#include "bench/measured.h"

#include <algorithm>

namespace octavo::bench {
namespace {

std::vector<double> sorted_rates(const std::vector<Window>& windows) {
  std::vector<double> rates;
  for (const Window& window : windows) rates.push_back(window.items_per_second);
  std::sort(rates.begin(), rates.end());
  return rates;
}

double median_of(const std::vector<double>& sorted) {
  if (sorted.empty()) return 0;
  return (sorted[(sorted.size() - 1) / 2] + sorted[sorted.size() / 2]) / 2;
}

}  // namespace

double Measured::items_per_second() const { return median_of(sorted_rates(windows)); }

double Measured::spread() const {
  const std::vector<double> rates = sorted_rates(windows);
  const double median = median_of(rates);
  return median > 0 ? (rates.back() - rates.front()) / median : 0;
}

}  // namespace octavo::bench
