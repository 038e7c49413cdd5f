#include "bench/measured.h"

#include <algorithm>

#include "bench/ratio.h"

namespace octavo::bench {
namespace {

std::vector<double> rates_of(const std::vector<Window>& windows) {
  std::vector<double> rates;
  rates.reserve(windows.size());
  for (const Window& window : windows) rates.push_back(window.items_per_second);
  return rates;
}

}  // namespace

double Measured::items_per_second() const { return median(rates_of(windows)); }

double Measured::spread() const {
  const std::vector<double> rates = rates_of(windows);
  if (rates.empty()) return 0;
  const auto [least, most] = std::minmax_element(rates.begin(), rates.end());
  return *most > 0 ? (*most - *least) / median(rates) : 0;
}

}  // namespace octavo::bench
