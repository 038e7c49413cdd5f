#pragma once
#include <memory>

#include "bench/instance.h"
#include "octavo/dlrm.h"
#include "package/dlrm_model.h"

namespace octavo::bench {

/// User-item pairs to score, one row number for each table, and how queries cut them into samples.
struct DlrmSamples {
  std::int64_t pairs = 0;
  std::vector<float> dense;           ///< [pairs, dense features]
  std::vector<std::int64_t> indices;  ///< [tables, pairs]
  std::vector<std::int64_t> begins;   ///< sample s has the pairs begins[s] up to begins[s + 1]

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(begins.size()) - 1; }
  [[nodiscard]] std::int64_t largest() const;
};

/// Cuts `pairs` pairs into samples of one pair each.
std::vector<std::int64_t> single_pairs(std::int64_t pairs);
/// As MLPerf has it: samples of 100 to 700 pairs, 270 on average, the same for the same seed. The last one
/// may be shorter.
std::vector<std::int64_t> mlperf_samples(std::int64_t pairs, std::uint64_t seed);

/// A DlrmSession as an instance; its items are pairs. Scores the samples where they lie, without a copy.
class DlrmInstance : public Instance {
 public:
  /// `options.threads` and `.cpus` are those of `place`. Instances share the samples.
  DlrmInstance(const Dlrm& model, DlrmSessionOptions options, const Place& place,
               std::shared_ptr<const DlrmSamples> samples);
  std::int64_t run(std::int64_t first, std::int64_t count) override;
  /// As `run`, by DlrmSession::score_traced.
  std::vector<StepEvent> run_traced(std::int64_t first, std::int64_t count);

  [[nodiscard]] const DlrmSession& session() const noexcept { return session_; }
  /// What the last run scored.
  [[nodiscard]] const std::vector<float>& scores() const noexcept { return scores_; }

 private:
  [[nodiscard]] DlrmBatch batch(std::int64_t first, std::int64_t count) const;

  DlrmSession session_;
  std::int64_t dense_features_;
  std::shared_ptr<const DlrmSamples> samples_;
  std::vector<float> scores_;
};

/// Multiply-accumulates for one pair: both MLPs, and the products of its vectors.
std::int64_t macs_per_pair(const DlrmModel& model);

}  // namespace octavo::bench
