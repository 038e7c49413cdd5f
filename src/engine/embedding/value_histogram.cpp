#include "engine/embedding/value_histogram.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace octavo {
namespace {

constexpr std::int64_t kBins = 8192;

}  // namespace

void ValueHistogram::widen() {
  if (bins_.empty()) bins_.resize(kBins);
  if (limit_ == 0.0 && largest_ > 0.0F) limit_ = std::ldexp(1.0, std::ilogb(largest_) + 1);
  while (limit_ < largest_) {
    limit_ *= 2;
    std::vector<std::int64_t> merged(bins_.size());
    for (std::size_t i = 0; i < bins_.size(); ++i) merged[bins_.size() / 4 + i / 2] += bins_[i];
    bins_ = std::move(merged);
  }
}

void ValueHistogram::add(std::span<const float> values) {
  if (values.empty()) return;
  for (float value : values) {
    if (!std::isfinite(value)) fail(ErrorCode::invalid_model, "a value is {}", value);
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  lowest_ = count_ == 0 ? *low : std::min(lowest_, *low);
  highest_ = count_ == 0 ? *high : std::max(highest_, *high);
  largest_ = std::max(std::fabs(lowest_), std::fabs(highest_));
  widen();
  const double bins_per_unit = limit_ > 0.0 ? static_cast<double>(kBins) / (2 * limit_) : 0.0;
  for (float value : values) {
    const auto bin = kBins / 2 + static_cast<std::int64_t>(std::floor(value * bins_per_unit));
    ++bins_[static_cast<std::size_t>(std::min(bin, kBins - 1))];
  }
  count_ += std::ssize(values);
}

double ValueHistogram::value_at(double position) const noexcept {
  return (position / static_cast<double>(kBins) - 0.5) * 2 * limit_;
}

float ValueHistogram::quantile(double share) const noexcept {
  const double wanted = share * static_cast<double>(count_);
  std::int64_t below = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    below += bins_[i];
    if (static_cast<double>(below) >= wanted)
      return std::clamp(static_cast<float>(value_at(static_cast<double>(i + 1))), lowest_, highest_);
  }
  return highest_;
}

}  // namespace octavo
