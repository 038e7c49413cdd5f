#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/session/dlrm/pipeline.h"

namespace octavo::testing {

/// What a made-up model is made of.
struct DlrmShape {
  std::int64_t dense_features = 13;
  std::int64_t dim = 32;
  std::vector<std::int64_t> bottom{64, 32};  ///< the last is dim
  std::vector<std::int64_t> top{64, 32, 1};
  Interaction interaction = Interaction::dot;
  std::vector<std::int64_t> rows{40, 7, 300};
  std::vector<RowFormat> formats{RowFormat::f32};  ///< of table t: formats[t modulo their number]
};

/// Random weights and rows.
std::shared_ptr<DlrmData> random_dlrm(const DlrmShape& shape, unsigned seed = 1);

/// A batch that owns its memory.
struct OwnedBatch {
  std::int64_t samples = 0;
  std::vector<float> dense;
  std::vector<std::int64_t> indices, offsets;
  [[nodiscard]] DlrmBatch view() const { return {samples, dense, indices, offsets, 0}; }
};

/// Random features and indices over all rows; with `most_in_bag` > 0, bags of 0 to that many.
OwnedBatch random_batch(const DlrmModel& model, std::int64_t samples, std::int64_t most_in_bag = 0,
                        unsigned seed = 2);

/// Gives the model the ranges of its activations on `batch`.
void calibrate(const std::shared_ptr<DlrmData>& data, const DlrmBatch& batch);

/// The small trained model of the test data (dlrm/small_dlrm_params), its tables in `format`.
std::shared_ptr<DlrmData> small_dlrm(RowFormat format);
/// Its test rows (dlrm/small_dlrm_testdata) and what PyTorch gives for them.
OwnedBatch small_dlrm_rows();
std::vector<float> small_dlrm_scores();

/// What a session with these options gives.
std::vector<float> scores_of(const std::shared_ptr<const DlrmData>& data, const DlrmBatch& batch,
                             const DlrmSessionOptions& options = {});

/// The model computed in f64 straight from its definition.
std::vector<double> plain_scores(const DlrmData& data, const DlrmBatch& batch);

}  // namespace octavo::testing
