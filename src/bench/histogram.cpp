#include "bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace octavo::bench {
namespace {

// Durations below 2 << kBits have a bucket each; above, every doubling has 1 << kBits of them.
constexpr unsigned kBits = 12;

std::size_t bucket_of(std::uint64_t ns) {
  const auto bits = static_cast<unsigned>(std::bit_width(ns));
  const unsigned shift = bits > kBits + 1 ? bits - (kBits + 1) : 0;
  return (static_cast<std::size_t>(shift) << kBits) + static_cast<std::size_t>(ns >> shift);
}

/// The longest duration of a bucket.
std::int64_t longest_of(std::size_t bucket) {
  const std::size_t shift = bucket < (std::size_t{2} << kBits) ? 0 : (bucket >> kBits) - 1;
  const std::uint64_t top = bucket - (shift << kBits);
  return static_cast<std::int64_t>(((top + 1) << shift) - 1);
}

}  // namespace

void Histogram::add(std::int64_t ns) {
  ns = std::max<std::int64_t>(ns, 0);
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(ns));
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  min_ = count_ == 0 ? ns : std::min(min_, ns);
  max_ = std::max(max_, ns);
  ++count_;
  sum_ += static_cast<double>(ns);
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  if (counts_.size() < other.counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

double Histogram::mean_ns() const noexcept { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::int64_t Histogram::quantile_ns(double share) const noexcept {
  if (count_ == 0) return 0;
  const auto total = static_cast<double>(count_);
  const auto rank = static_cast<std::int64_t>(std::clamp(std::ceil(share * total), 1.0, total));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(longest_of(i), max_);
  }
  return max_;
}

std::int64_t Histogram::count_above(std::int64_t ns) const noexcept {
  std::int64_t above = 0;
  const std::size_t first = ns < 0 ? 0 : bucket_of(static_cast<std::uint64_t>(ns)) + 1;
  for (std::size_t i = first; i < counts_.size(); ++i) above += counts_[i];
  return above;
}

}  // namespace octavo::bench
