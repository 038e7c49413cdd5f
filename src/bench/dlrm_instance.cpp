#include "bench/dlrm_instance.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "base/fail.h"

namespace octavo::bench {
namespace {

double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11U) * 0x1p-53; }

/// Pairs of an aggregated sample: exponential beyond 100, cut at 700, so that the mean is 270.
std::int64_t aggregated_pairs(std::mt19937_64& random) {
  constexpr double kMean = 203.0, kSpan = 601.0;
  const double kept = uniform(random) * (1 - std::exp(-kSpan / kMean));
  return 100 + static_cast<std::int64_t>(-kMean * std::log1p(-kept));
}

/// Rows of one table.
class RowLaw {
 public:
  RowLaw(std::int64_t rows, double zipf) : rows_(static_cast<std::uint64_t>(rows)), zipf_(zipf) {
    factor_ = static_cast<std::uint64_t>(static_cast<double>(rows) * 0.6180339887) | 1U;
    while (std::gcd(factor_, rows_) != 1) factor_ += 2;
  }

  /// By inversion of the continuous law, then scattered: consecutive ranks lie a golden section apart.
  std::int64_t operator()(std::mt19937_64& random) const {
    if (zipf_ == 0) return static_cast<std::int64_t>(random() % rows_);
    // An exponent of 1 has another integral; its neighbour is as good.
    const double power = 1 - (zipf_ == 1.0 ? 1.0001 : zipf_);
    const double reach = std::pow(static_cast<double>(rows_) + 1, power) - 1;
    const double x = std::pow(1 + uniform(random) * reach, 1 / power);
    const auto rank = std::min(static_cast<std::uint64_t>(std::max(x - 1, 0.0)), rows_ - 1);
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::int64_t>(Wide{rank} * factor_ % rows_);
  }

 private:
  std::uint64_t rows_, factor_;
  double zipf_;
};

}  // namespace

PairSet made_up_pairs(const Dlrm& model, std::int64_t samples, const PairLaw& law) {
  std::mt19937_64 random(law.seed);
  PairSet set;
  for (std::int64_t i = 0; i < samples; ++i) {
    set.starts.push_back(set.pairs);
    set.pairs += law.are_aggregated ? aggregated_pairs(random) : 1;
  }
  set.starts.push_back(set.pairs);
  set.dense.resize(static_cast<std::size_t>(set.pairs * model.dense_features()));
  for (float& value : set.dense) value = static_cast<float>(3 * uniform(random));
  for (std::int64_t rows : model.rows()) {
    const RowLaw row(rows, law.zipf);
    for (std::int64_t i = 0; i < set.pairs; ++i) set.indices.push_back(row(random));
  }
  return set;
}

DlrmInstance::DlrmInstance(const Dlrm& model, DlrmSessionOptions options, const Place& place,
                           std::shared_ptr<const PairSet> pairs)
    : Instance(place),
      session_(model, (options.threads = place.threads, options.cpus = place.cpus, options)),
      features_(model.dense_features()),
      pairs_(std::move(pairs)) {}

std::int64_t DlrmInstance::run(std::int64_t first, std::int64_t count) {
  const std::int64_t samples = std::ssize(pairs_->starts) - 1;
  if (count > samples) fail(ErrorCode::invalid_argument, "{} samples at once, there are {}", count, samples);
  // A batch that would go over the end begins at the beginning.
  first %= samples;
  if (first + count > samples) first = 0;
  const auto begin = static_cast<std::size_t>(pairs_->starts[static_cast<std::size_t>(first)]);
  const auto end = static_cast<std::size_t>(pairs_->starts[static_cast<std::size_t>(first + count)]);
  const auto features = static_cast<std::size_t>(features_);
  scores_.resize(end - begin);
  const DlrmBatch batch{std::ssize(scores_),
                        std::span(pairs_->dense).subspan(begin * features, scores_.size() * features),
                        std::span(pairs_->indices).subspan(std::min(begin, pairs_->indices.size())),
                        {},
                        pairs_->pairs};
  session_.score(batch, scores_);
  return batch.samples;
}

StartInstance start_dlrm_sessions(Dlrm model, DlrmSessionOptions options,
                                  std::shared_ptr<const PairSet> pairs) {
  return [=](const Place& place) { return std::make_unique<DlrmInstance>(model, options, place, pairs); };
}

}  // namespace octavo::bench
