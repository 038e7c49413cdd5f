#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "bench/instance.h"
#include "octavo/dlrm.h"

namespace octavo::bench {

/// Pairs of a user and an item to score, one row of each table, in samples of one or more pairs.
struct PairSet {
  std::int64_t pairs = 0;
  std::vector<float> dense;           ///< [pairs, features]
  std::vector<std::int64_t> indices;  ///< [tables, pairs]
  std::vector<std::int64_t> starts;   ///< the first pair of each sample, and the number of pairs
};

/// How made-up pairs are distributed.
struct PairLaw {
  double zipf = 0.0;  ///< exponent of the rows' popularity; 0 = all alike
  bool are_aggregated =
      false;  ///< samples of 100 to 700 pairs, 270 on average, as MLPerf has them; else of one
  std::uint64_t seed = 1;
};

/// `samples` samples for a model; the same for the same seed. Popular rows lie all over a table.
PairSet made_up_pairs(const Dlrm& model, std::int64_t samples, const PairLaw& law);

/// A DlrmSession as an instance: run returns pairs.
class DlrmInstance : public Instance {
 public:
  DlrmInstance(const Dlrm& model, DlrmSessionOptions options, const Place& place,
               std::shared_ptr<const PairSet> pairs);

  /// Error(invalid_argument) when there are fewer samples than `count`.
  std::int64_t run(std::int64_t first, std::int64_t count) override;
  /// The scores of the last run.
  [[nodiscard]] std::span<const float> scores() const noexcept { return scores_; }
  [[nodiscard]] const DlrmSession& session() const noexcept { return session_; }

 private:
  DlrmSession session_;
  std::int64_t features_;
  std::shared_ptr<const PairSet> pairs_;
  std::vector<float> scores_;
};

/// Sessions over one model and one set of pairs.
StartInstance start_dlrm_sessions(Dlrm model, DlrmSessionOptions options,
                                  std::shared_ptr<const PairSet> pairs);

}  // namespace octavo::bench
