#include "bench/dlrm_instance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/fail.h"

namespace octavo::bench {

std::int64_t DlrmSamples::largest() const {
  std::int64_t most = 0;
  for (std::size_t s = 1; s < begins.size(); ++s) most = std::max(most, begins[s] - begins[s - 1]);
  return most;
}

std::vector<std::int64_t> single_pairs(std::int64_t pairs) {
  std::vector<std::int64_t> begins(static_cast<std::size_t>(pairs) + 1);
  std::iota(begins.begin(), begins.end(), 0);
  return begins;
}

std::vector<std::int64_t> mlperf_samples(std::int64_t pairs, std::uint64_t seed) {
  // 100 + min(X, 600) with X exponential: its mean is 100 + m * (1 - exp(-600 / m)), 270 for this m.
  constexpr double kMean = 176.2, kLeast = 100, kMostMore = 600;
  std::mt19937_64 random(seed);
  std::vector<std::int64_t> begins{0};
  while (begins.back() < pairs) {
    const double uniform = (static_cast<double>(random() >> 11U) + 1) * 0x1p-53;
    const double size = kLeast + std::min(-kMean * std::log(uniform), kMostMore);
    begins.push_back(std::min<std::int64_t>(pairs, begins.back() + std::llround(size)));
  }
  return begins;
}

DlrmInstance::DlrmInstance(const Dlrm& model, DlrmSessionOptions options, const Place& place,
                           std::shared_ptr<const DlrmSamples> samples)
    : Instance(place),
      session_(model, placed(std::move(options), place)),
      dense_features_(model.dense_features()),
      samples_(std::move(samples)) {}

std::int64_t DlrmInstance::run(std::int64_t first, std::int64_t count) {
  const DlrmBatch pairs = batch(first, count);
  scores_.resize(static_cast<std::size_t>(pairs.samples));
  session_.score(pairs, scores_);
  return pairs.samples;
}

std::vector<StepEvent> DlrmInstance::run_traced(std::int64_t first, std::int64_t count) {
  const DlrmBatch pairs = batch(first, count);
  scores_.resize(static_cast<std::size_t>(pairs.samples));
  return session_.score_traced(pairs, scores_);
}

/// The pairs of samples `first` up to `first + count`; samples that would go over the end begin at the
/// beginning.
DlrmBatch DlrmInstance::batch(std::int64_t first, std::int64_t count) const {
  const std::int64_t all = samples_->count();
  if (count > all) fail(ErrorCode::invalid_argument, "{} samples at once, there are {}", count, all);
  first %= all;
  if (first + count > all) first = 0;
  const std::int64_t begin = samples_->begins[static_cast<std::size_t>(first)];
  const std::int64_t end = samples_->begins[static_cast<std::size_t>(first + count)];
  const auto at = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  return {
      end - begin,
      std::span(samples_->dense).subspan(at(begin * dense_features_), at((end - begin) * dense_features_)),
      std::span(samples_->indices).subspan(at(begin)),
      {},
      samples_->pairs};
}

std::int64_t macs_per_pair(const DlrmModel& model) {
  std::int64_t macs = 0;
  for (std::size_t i = 0; i < model.bottom.size(); ++i) macs += bottom_inputs(model, i) * model.bottom[i];
  for (std::size_t i = 0; i < model.top.size(); ++i) macs += top_inputs(model, i) * model.top[i];
  if (model.interaction == Interaction::cat) return macs;
  const auto vectors = static_cast<std::int64_t>(model.tables.size()) + 1;
  const std::int64_t others = model.interaction == Interaction::dot ? vectors - 1 : vectors + 1;
  return macs + vectors * others / 2 * model.dim;
}

}  // namespace octavo::bench
