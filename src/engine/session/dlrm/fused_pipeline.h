#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/embedding/bag_block.h"
#include "engine/kernels/dlrm/work.h"
#include "engine/session/dlrm/packed_layers.h"
#include "engine/session/dlrm/pipeline.h"
#include "engine/session/dlrm/prefetch.h"
#include "engine/session/dlrm/top_plan.h"

namespace octavo {

/// The kernels that the fused pipeline calls itself.
struct DlrmKernels {
  void (*input)(const DlrmInputWork&);
  void (*layer)(const DlrmLayerWork&);
  void (*dots)(const DlrmDotsWork&);
  void (*last)(const DlrmLastWork&);
  /// int8: the top MLP's input, which is s8, is kept as u8, 128 more: the kernels multiply nothing else.
  bool top_is_u8 = false;
};

/// Samples whose feature vectors are wanted, but for x, and where they go: table t's vector of the i-th
/// sample to features + i * sample_bytes + (t + 1) * vector_bytes.
struct FeatureTurn {
  const DlrmBatch& batch;
  std::span<const BagTable> tables;
  std::int64_t first, samples;  ///< of the batch; at most kDlrmTurn
  std::int64_t ahead;           ///< samples behind these whose rows are to be asked for
  std::int8_t* features;
  std::int64_t sample_bytes, vector_bytes;
  float* sum;  ///< room for one vector

  [[nodiscard]] std::int8_t* vector(std::int64_t sample, std::size_t table) const noexcept {
    return features + sample * sample_bytes + (static_cast<std::int64_t>(table) + 1) * vector_bytes;
  }
};

/// Asks for the rows of the samples behind the turn's.
inline void prefetch_ahead(const FeatureTurn& turn) noexcept {
  for (std::int64_t s = turn.samples; s < turn.samples + turn.ahead; ++s)
    prefetch_sample(turn.tables, turn.batch, turn.first + s);
}

/// What makes the fused pipeline one of int8 or bf16.
struct FusedArithmetic {
  /// Samples whose activations stay in L2 while all weights pass (docs/performance.md).
  std::int64_t most_samples;
  DlrmKernels kernels;
  TopPlan top_plan;
  PackedLayers layers;
  float dense_inverse_scale = 1.0F;                ///< int8
  std::int32_t dense_zero_point = 0;               ///< int8
  std::vector<float> dot_multiplier = {};          ///< int8: by lane of the folds
  std::function<void(const FeatureTurn&)> gather;  ///< must not throw
};

/// Takes chunks through all layers with activations packed as work.h says.
std::unique_ptr<DlrmPipeline> prepare_fused(const DlrmData& data, FusedArithmetic arithmetic);

}  // namespace octavo
