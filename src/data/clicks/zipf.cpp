#include "data/clicks/zipf.h"

#include <algorithm>
#include <cmath>

namespace octavo {

Zipf::Zipf(std::int64_t count, double exponent) noexcept
    : count_(static_cast<double>(count)), exponent_(exponent) {
  // Rank 1 gets an area of exactly its weight 1, later ranks that of their unit interval, which is not less
  // than their weight as x^-exponent is convex.
  low_ = integral(1.5) - 1.0;
  high_ = integral(count_ + 0.5);
}

/// The integral of x^-exponent from 1 on.
double Zipf::integral(double x) const noexcept {
  const double log_x = std::log(x);
  const double a = (1.0 - exponent_) * log_x;
  return std::fabs(a) > 1e-12 ? log_x * std::expm1(a) / a : log_x;
}

double Zipf::inverse(double area) const noexcept {
  const double a = area * (1.0 - exponent_);
  return std::fabs(a) > 1e-12 ? std::exp(area * std::log1p(std::max(a, -1.0)) / a) : std::exp(area);
}

std::int64_t Zipf::draw(Random& random) const noexcept {
  for (;;) {
    const double area = low_ + random.uniform() * (high_ - low_);
    const double rank = std::clamp(std::nearbyint(inverse(area)), 1.0, count_);
    // Of the interval's area only the part that is the rank's weight counts.
    if (area >= integral(rank + 0.5) - std::pow(rank, -exponent_)) return static_cast<std::int64_t>(rank);
  }
}

}  // namespace octavo
