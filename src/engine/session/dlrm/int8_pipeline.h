#pragma once
#include <memory>

#include "engine/embedding/feature_block.h"
#include "engine/session/dlrm/fused_pipeline.h"

namespace octavo {

/// The kernels that make feature vectors of rows.
struct DlrmInt8Gather {
  void (*gather)(const FeatureWork&);
  bool gathers_all;  ///< also rows that are not vectors already
  BagSum sum;
  void (*quantize)(const float* values, std::int64_t count, float inverse_scale, std::int8_t* dst);
};

/// The fused pipeline with these kernels.
std::unique_ptr<DlrmPipeline> prepare_int8(const DlrmData& data, const DlrmKernels& kernels,
                                           const DlrmInt8Gather& gather);
/// The rules of Int8Numbers, value by value.
std::unique_ptr<DlrmPipeline> prepare_int8_reference(const DlrmData& data);

std::span<const DlrmRow> dlrm_int8_rows();

}  // namespace octavo
