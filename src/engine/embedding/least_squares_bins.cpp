#include "engine/embedding/least_squares_bins.h"

#include <algorithm>
#include <limits>

namespace octavo {
namespace {

/// Sums over the filled bins before each: of counts, of values, of squares.
class Prefix {
 public:
  explicit Prefix(std::span<const std::int64_t> bins) {
    for (std::size_t i = 0; i < bins.size(); ++i) {
      if (bins[i] == 0) continue;
      const auto weight = static_cast<double>(bins[i]);
      const double value = static_cast<double>(i) + 0.5;
      weight_.push_back(weight_.back() + weight);
      sum_.push_back(sum_.back() + weight * value);
      square_.push_back(square_.back() + weight * value * value);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return weight_.size() - 1; }
  [[nodiscard]] double mean(std::size_t begin, std::size_t end) const noexcept {
    return (sum_[end] - sum_[begin]) / (weight_[end] - weight_[begin]);
  }
  /// Squared error when the mean stands for the bins begin .. end - 1.
  [[nodiscard]] double cost(std::size_t begin, std::size_t end) const noexcept {
    const double sum = sum_[end] - sum_[begin];
    return square_[end] - square_[begin] - sum * sum / (weight_[end] - weight_[begin]);
  }

 private:
  std::vector<double> weight_{0}, sum_{0}, square_{0};
};

/// One more interval: for every end in [low, high], the best begin of the last interval, which moves right
/// with the end; so halving the ends halves the begins.
struct OneMore {
  const Prefix& prefix;
  const std::vector<double>& before;  ///< by end: the least cost with one interval less
  std::vector<double>& after;
  std::vector<std::size_t>& begins;

  void fill(std::size_t low, std::size_t high, std::size_t first, std::size_t last) const {
    if (low > high) return;
    const std::size_t end = (low + high) / 2;
    double least = std::numeric_limits<double>::infinity();
    std::size_t best = first;
    for (std::size_t begin = first; begin <= std::min(last, end - 1); ++begin) {
      const double cost = before[begin] + prefix.cost(begin, end);
      if (cost < least) least = cost, best = begin;
    }
    after[end] = least;
    begins[end] = best;
    fill(low, end - 1, first, best);
    fill(end + 1, high, best, last);
  }
};

}  // namespace

std::vector<double> least_squares_bins(std::span<const std::int64_t> bins, std::int64_t count) {
  const Prefix prefix(bins);
  const std::size_t size = prefix.size();
  const std::size_t intervals = std::min(static_cast<std::size_t>(count), size);
  std::vector<double> values;
  std::vector<double> least(size + 1, std::numeric_limits<double>::infinity());
  least[0] = 0.0;
  std::vector<std::vector<std::size_t>> begins;
  for (std::size_t i = 0; i < intervals; ++i) {
    std::vector<double> after(size + 1, std::numeric_limits<double>::infinity());
    begins.emplace_back(size + 1);
    OneMore{prefix, least, after, begins.back()}.fill(i + 1, size, i, size - 1);
    least = std::move(after);
  }
  for (std::size_t end = size, i = intervals; i > 0; end = begins[--i][end])
    values.push_back(prefix.mean(begins[i - 1][end], end));
  std::reverse(values.begin(), values.end());
  values.resize(static_cast<std::size_t>(count), values.empty() ? 0.0 : values.back());
  return values;
}

}  // namespace octavo
