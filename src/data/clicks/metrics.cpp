#include "data/clicks/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/assert.h"
#include "base/fail.h"

namespace octavo {

double roc_auc(std::span<const float> scores, std::span<const float> labels) {
  OCTAVO_ASSERT(scores.size() == labels.size());
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto nan = std::find_if(scores.begin(), scores.end(), [](float s) { return std::isnan(s); });
  if (nan != scores.end()) fail(ErrorCode::invalid_argument, "score {} is NaN", nan - scores.begin());
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double clicked = 0.0;
  double others = 0.0;  // with a lower score than the current run of equal ones
  double pairs_won = 0.0;
  for (std::size_t begin = 0; begin < order.size();) {
    double clicked_here = 0.0;
    double others_here = 0.0;
    std::size_t end = begin;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end) {
      labels[order[end]] > 0.5F ? ++clicked_here : ++others_here;
    }
    pairs_won += clicked_here * (others + 0.5 * others_here);
    clicked += clicked_here;
    others += others_here;
    begin = end;
  }
  if (clicked == 0.0 || others == 0.0) return std::numeric_limits<double>::quiet_NaN();
  return pairs_won / (clicked * others);
}

double log_loss(std::span<const float> scores, std::span<const float> labels) {
  OCTAVO_ASSERT(scores.size() == labels.size());
  constexpr double kLeast = 0x1p-24;
  double sum = 0.0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double p = std::clamp(static_cast<double>(scores[i]), kLeast, 1.0 - kLeast);
    sum -= labels[i] > 0.5F ? std::log(p) : std::log1p(-p);
  }
  return sum / static_cast<double>(scores.size());
}

}  // namespace octavo
